import test from 'ava';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../../../guest-agent/sys/constants.ts';
import { mountKernelFileSystems, moveKernelFileSystems } from '../../../guest-agent/rootfs/kernel-mounts.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';

test('no file of an image takes part in mounting', (t) => {
  const { sys, calls } = recordingSys();
  mountKernelFileSystems(sys, 4096);
  t.is(calls[0], 'chdir /run/nest/stage');
  const targets = calls.filter((call) => call.startsWith('mount ')).map((call) => call.split(' ')[2]);
  t.deepEqual(targets, ['proc', 'dev', 'dev/pts', 'dev/shm', 'dev/mqueue', 'sys', 'sys/fs/cgroup']);
});

test('every place that they move to is looked up below the root, and no link is followed', (t) => {
  const asked: string[] = [];
  const { sys, calls } = recordingSys({
    open: () => 10,
    openat2: (root, path, _, resolve) => asked.push(`${root} ${String(path)} ${resolve}`) + 20,
  });
  moveKernelFileSystems(sys, 7);
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  t.deepEqual(asked, [`7 proc ${resolve}`, `7 dev ${resolve}`, `7 sys ${resolve}`]);
  t.deepEqual(
    calls.filter((call) => call.startsWith('attachMount')),
    ['attachMount 10 21', 'attachMount 10 22', 'attachMount 10 23'],
  );
});

test('an image without folders to mount on gets them', (t) => {
  const missing = new Set(['proc', 'dev', 'sys']);
  const { sys, calls } = recordingSys({
    openat2: (_, path) => (missing.delete(String(path)) ? failing('ENOENT')() : 20),
  });
  moveKernelFileSystems(sys, 7);
  t.deepEqual(
    calls.filter((call) => call.startsWith('mkdir ')),
    ['mkdir proc 493', 'mkdir dev 493', 'mkdir sys 493'],
  );
});
