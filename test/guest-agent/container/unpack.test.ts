import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unpack } from '../../../guest-agent/container/unpack.ts';
import type { Kernel } from '../../../guest-agent/runtime.ts';
import { O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../../../guest-agent/sys/constants.ts';
import { linux } from '../../../guest-agent/sys/sys.ts';
import { streamOf, tarOf, type TarEntry } from '../../helpers/images.ts';

const kernel = {
  openFolder: (root: number, folder: Buffer) =>
    linux.openat2(root, folder, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
} as Kernel;
const mine = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A root with a folder `to`, and a folder beside it that nothing may reach. */
function place(t: { teardown(work: () => void): void }) {
  const top = mkdtempSync(path.join(tmpdir(), 'nest-unpack-'));
  const [root, outside] = [path.join(top, 'root'), path.join(top, 'outside')];
  for (const folder of [root, path.join(root, 'to'), outside]) mkdirSync(folder);
  const fd = openSync(root, 'r');
  t.teardown(() => {
    closeSync(fd);
    rmSync(top, { recursive: true });
  });
  const run = async (entries: TarEntry[], folder = '/to') => {
    const archive = streamOf(await tarOf(entries.map((entry) => ({ ...mine, ...entry }))), 700);
    return unpack(kernel, archive, { root: fd, folder: Buffer.from(folder) });
  };
  return { root, outside, run };
}

test('links of the container lead within its root', async (t) => {
  const { root, outside, run } = place(t);
  symlinkSync(outside, path.join(root, 'to/away'));
  symlinkSync('/to/real', path.join(root, 'to/inside'));
  mkdirSync(path.join(root, 'to/real'));
  await run([{ name: 'inside/f', content: 'here' }]);
  t.is(readFileSync(path.join(root, 'to/real/f'), 'utf8'), 'here');
  await t.throwsAsync(run([{ name: 'away/canary', content: 'x' }]), { message: /ENOENT/ });
  await t.throwsAsync(run([{ name: '../../outside/canary', content: 'x' }]), { message: /leaves the folder/ });
  await run([{ name: 'away', content: 'a file' }]);
  t.is(readFileSync(path.join(root, 'to/away'), 'utf8'), 'a file');
  t.deepEqual(readdirSync(outside), []);
});

test('the folder itself stays as it is, and folders that the archive leaves out are made', async (t) => {
  const { root, run } = place(t);
  symlinkSync('gone', path.join(root, 'to/link'));
  const before = statSync(path.join(root, 'to')).mode;
  await run([
    { name: './', mode: 0o700 },
    { name: './a/b/f', content: 'deep' },
  ]);
  t.is(statSync(path.join(root, 'to')).mode, before);
  t.is(readFileSync(path.join(root, 'to/a/b/f'), 'utf8'), 'deep');
  await t.throwsAsync(run([{ name: 'link/f', content: 'x' }]), { message: /ENOENT/ });
  t.false(existsSync(path.join(root, 'to/gone')));
});

test('a folder takes no file’s place, nor the other way round', async (t) => {
  const { run } = place(t);
  await run([{ name: 'f', content: '1' }, { name: 'd/' }]);
  await t.throwsAsync(run([{ name: 'f/' }]), { message: /cannot overwrite/ });
  await t.throwsAsync(run([{ name: 'd', content: 'x' }]), { message: /cannot overwrite/ });
  await run([{ name: 'f', content: '2' }, { name: 'g', type: 'link', linkname: 'f' }, { name: 'd/' }]);
});

test('a folder that becomes a link again and again leads nowhere else', async (t) => {
  const { root, outside, run } = place(t);
  const script = 'cd "$1"; while :; do rm -rf d; ln -s "$2" d; rm -rf d; mkdir d; done';
  const swapping = spawn('sh', ['-c', script, 'sh', path.join(root, 'to'), outside], { stdio: 'ignore' });
  const ended = once(swapping, 'close');
  let whole = 0;
  for (let round = 0; round < 100; round++)
    await run([{ name: 'd/' }, { name: 'd/canary', content: 'x'.repeat(2000) }]).then(
      () => whole++,
      () => undefined,
    );
  swapping.kill('SIGKILL');
  await ended;
  t.log(`${whole} of 100 rounds went through`);
  t.deepEqual(readdirSync(outside), []);
});
