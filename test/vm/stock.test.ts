import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { NestError } from '../../src/errors.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { addStockImage } from '../../src/guest-image/stock-image.ts';
import { openLibvirt } from '../../src/libvirt/libvirt.ts';
import { nestPaths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import { openGuests } from '../../src/vm/guests.ts';
import { domainPrefix } from '../../src/vm/record.ts';
import { testGuestImage } from '../helpers/guest-image.ts';
import { TEST_URI } from '../helpers/libvirt.ts';

test('a disk without sshd does not become a guest: it is said why, and nothing is left', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-stock-'));
  await chmod(folder, 0o711);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  const disk = Buffer.alloc(1024 * 1024);
  // A boot sector that halts: hlt; jmp.
  Buffer.from([0xf4, 0xeb, 0xfd]).copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  const boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  const instance = randomBytes(16).toString('hex');
  const guests = await openGuests({
    paths,
    uri: TEST_URI,
    instance,
    bootFiles: () => Promise.resolve(boot),
    bootSeconds: 1,
  });
  t.teardown(() => guests.close());
  await addStockImage(paths, 'silent', Readable.from([disk]), { progress: silent });

  const shape = { vcpus: 1, memory: 512 * 1024 ** 2 };
  const request = { zone: 'web', name: 'web-1', shape, accelerator: 'tcg', stock: 'silent' } as const;
  const error = await t.throwsAsync(guests.create(request, silent), {
    code: 'boot-failed',
    message: 'boot guest `web-1` from `silent`: its sshd does not answer',
  });
  t.regex(
    error instanceof NestError ? (error.hint ?? '') : '',
    /^Its console says nothing\. A stock image needs systemd, sshd and cloud-init/,
  );
  await t.throwsAsync(guests.create({ ...request, stock: 'nowhere' }, silent), { code: 'guest-image-missing' });
  t.deepEqual(guests.list(), []);
  t.deepEqual(await readdir(paths.guests), []);
  const libvirt = await openLibvirt(TEST_URI);
  t.teardown(() => libvirt.close());
  t.deepEqual(
    (await libvirt.list()).filter(({ name }) => name.startsWith(domainPrefix(instance))),
    [],
  );
});
