import test from 'ava';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../../../guest-agent/sys/constants.ts';
import { mountKernelFileSystems } from '../../../guest-agent/rootfs/kernel-mounts.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';

test('every mount point is looked up below the root, and no link is followed', (t) => {
  const resolves = new Set<number>();
  const { sys, calls } = recordingSys({ openat2: (_, __, ___, resolve) => resolves.add(resolve).size + 20 });
  mountKernelFileSystems(sys, 7);
  t.deepEqual([...resolves], [RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS]);
  t.true(calls.filter((call) => call.startsWith('mount')).every((call) => call.includes('/proc/self/fd/')));
});

test('an image without folders to mount on gets them', (t) => {
  const missing = new Set(['proc', 'dev', 'sys']);
  const { sys, calls } = recordingSys({
    openat2: (_, path) => (missing.delete(path) ? failing('ENOENT')() : 20),
  });
  mountKernelFileSystems(sys, 7);
  t.deepEqual(
    calls.filter((call) => /^mkdir (proc|dev|sys) /.test(call)),
    ['mkdir proc 493', 'mkdir dev 493', 'mkdir sys 493'],
  );
});
