import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { nestPaths } from '../../src/paths.ts';
import { makeDisk } from '../../src/vm/disk.ts';

test('a disk is thin, its own, and formatted once for all', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-disk-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: folder });
  const [one, two] = [path.join(folder, 'one.qcow2'), path.join(folder, 'two.qcow2')];
  await Promise.all([makeDisk(paths, one, OPTIONS), makeDisk(paths, two, OPTIONS)]);
  t.is((await readdir(paths.cache)).length, 1);

  const { stdout } = await promisify(execFile)('qemu-img', ['info', '--output=json', one]);
  const info = JSON.parse(stdout) as { format: string; 'virtual-size': number; 'backing-filename'?: string };
  t.like(info, { format: 'qcow2', 'virtual-size': 16 * 1024 ** 3 });
  t.is(info['backing-filename'], undefined);
  const { size, mode, uid } = await stat(one);
  t.true(size < 16 * 1024 ** 2, `${size} bytes`);
  t.like({ mode, uid }, { mode: 0o100600, uid: process.getuid?.() ?? 0 });
});

test('a disk for a kernel that may not know quotas has none', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-disk-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: folder });
  const features = async (quotas: boolean) => {
    const [disk, raw] = [path.join(folder, `${quotas}.qcow2`), path.join(folder, `${quotas}.raw`)];
    await makeDisk(paths, disk, { owner: null, quotas });
    await promisify(execFile)('qemu-img', ['convert', '-O', 'raw', disk, raw]);
    const { stdout } = await promisify(execFile)('/sbin/dumpe2fs', ['-h', raw]);
    return ['quota', 'project'].filter((name) => new RegExp(`^Filesystem features:.* ${name}( |$)`, 'm').test(stdout));
  };
  t.deepEqual(await features(true), ['quota', 'project']);
  t.deepEqual(await features(false), []);
});

const OPTIONS = { owner: null, quotas: true };
