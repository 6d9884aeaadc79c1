import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { iso9660 } from '../../../src/vm/stock/iso9660.ts';
import { cloudInitSeed } from '../../../src/vm/stock/seed.ts';

const KEYS = {
  user: { private: 'USER SECRET', public: 'ssh-ed25519 AAAA user' },
  host: { private: 'HOST SECRET', public: 'ssh-ed25519 BBBB host' },
};

test('a seed is a CD-ROM by whose label cloud-init finds it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-seed-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'seed.iso');
  await writeFile(file, cloudInitSeed({ uuid: 'd0c0ffee-0000-4000-8000-000000000001', name: 'web-1' }, KEYS));
  const { stdout } = await promisify(execFile)('/sbin/blkid', ['-p', '-o', 'export', file]);
  t.regex(stdout, /^TYPE=iso9660$/m);
  t.regex(stdout, /^LABEL=cidata$/m);
});

test('a seed gives the guest its name, its host key and our key to log in, and not our secret', (t) => {
  const seed = cloudInitSeed({ uuid: 'd0c0ffee-0000-4000-8000-000000000001', name: 'web-1' }, KEYS);
  const files = filesIn(seed);
  t.deepEqual([...files.keys()], ['META-DATA.;1', 'NETWORK-CONFIG.;1', 'USER-DATA.;1']);
  t.like(JSON.parse(files.get('META-DATA.;1') ?? ''), { 'local-hostname': 'web-1' });
  const [header, ...rest] = (files.get('USER-DATA.;1') ?? '').split('\n');
  t.is(header, '#cloud-config');
  t.like(JSON.parse(rest.join('\n')), {
    ssh_authorized_keys: ['ssh-ed25519 AAAA user'],
    ssh_keys: { ed25519_private: 'HOST SECRET', ed25519_public: 'ssh-ed25519 BBBB host' },
    ssh_pwauth: false,
  });
  t.false(seed.includes('USER SECRET'));
});

test('files of a CD-ROM begin at sectors of their own, whatever their sizes', (t) => {
  const files = { empty: '', one: 'x', sector: 'y'.repeat(2048), more: 'z'.repeat(2049) };
  const found = filesIn(iso9660('label', files));
  for (const [name, content] of Object.entries(files)) t.is(found.get(`${name.toUpperCase()}.;1`), content, name);
});

/** As ECMA-119 has them: from the root's record in the primary volume descriptor. */
function filesIn(image: Buffer): Map<string, string> {
  const root = image.subarray(16 * 2048 + 156);
  const start = root.readUInt32LE(2) * 2048;
  const files = new Map<string, string>();
  for (let at = start; image[at] !== 0; at += image.readUInt8(at)) {
    const name = image.toString('latin1', at + 33, at + 33 + image.readUInt8(at + 32));
    const [sector, size] = [image.readUInt32LE(at + 2), image.readUInt32LE(at + 10)];
    if (image[at + 25] === 0) files.set(name, image.toString('utf8', sector * 2048, sector * 2048 + size));
  }
  return files;
}
