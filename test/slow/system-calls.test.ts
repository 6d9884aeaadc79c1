import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { openAgentGuest } from '../helpers/agent-guest.ts';
import { testGuestImage } from '../helpers/guest-image.ts';

test('a default container makes no namespace, mount or program of the kernel by whatever system call: CVE-2022-0185', async (t) => {
  const guest = await openAgentGuest('calls');
  t.teardown(() => guest.close());
  // The guest's own root has the Node that makes the calls.
  const boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  const copy = path.join(path.dirname(guest.layer.path), 'root.squashfs');
  await copyFile(boot.root, copy);
  const program = await guest.addLayer(async (tree) => {
    await mkdir(path.join(tree, 'opt/probe'), { recursive: true });
    await writeFile(path.join(tree, 'opt/probe/probe.mjs'), PROBE);
  });
  const calls = JSON.stringify(CALLS.map(([name, numbers]) => [name, numbers]));
  const spec = guest.shell('', {
    layers: [await guest.addLayer(copy), program],
    argv: ['/usr/bin/node', '/opt/probe/probe.mjs', calls],
  });
  t.like(await guest.run(spec), { exitCode: 0 });
  t.deepEqual(JSON.parse(await guest.logs(spec.id)), Object.fromEntries(CALLS.map(([name, , end]) => [name, end])));
});

const PROBE = `import koffi from 'koffi';
import { constants } from 'node:os';
const long = 'long';
const syscall = koffi.load('libc.so.6').func('syscall', long, [long, long, long, long, long, long, long]);
const names = Object.fromEntries(Object.entries(constants.errno).map(([name, number]) => [number, name]));
const results = JSON.parse(process.argv[2]).map(([name, numbers]) => {
  const result = syscall(...[...numbers, 0, 0, 0, 0, 0, 0].slice(0, 7));
  return [name, result < 0 ? names[koffi.errno()] : 'ok'];
});
console.log(JSON.stringify(Object.fromEntries(results)));
`;

/** By their numbers in arch/x86/entry/syscalls/syscall_64.tbl. Whoever gets past the filter with an address of 0 meets EFAULT. */
const CALLS: [name: string, numbers: number[], expected: string][] = [
  ['unshare user', [272, 0x10000000], 'EPERM'],
  ['unshare mount', [272, 0x20000], 'EPERM'],
  ['clone user', [56, 0x10000000 | 0x800], 'EPERM'],
  ['clone3', [435], 'ENOSYS'],
  ['setns', [308, -1, 0], 'EPERM'],
  ['mount', [165], 'EPERM'],
  ['fsopen', [430], 'EPERM'],
  ['fsconfig', [431, -1], 'EPERM'],
  ['open_tree', [428, -1], 'EPERM'],
  ['move_mount', [429, -1, 0, -1], 'EPERM'],
  ['keyctl', [250, 99], 'EPERM'],
  ['bpf', [321, 99], 'EPERM'],
  ['perf_event_open', [298], 'EPERM'],
  ['userfaultfd', [323, 1], 'EPERM'],
  ['io_uring_setup', [425, 0], 'EPERM'],
  ['init_module', [175], 'EPERM'],
  ['kexec_load', [246, 0, 99], 'EPERM'],
  ['open_by_handle_at', [304, -1], 'EPERM'],
  ['socket vsock', [41, 40, 1], 'EPERM'],
  ['socket inet', [41, 2, 1], 'ok'],
];
