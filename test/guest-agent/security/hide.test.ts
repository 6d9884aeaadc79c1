import test from 'ava';
import { makeReadonly, maskPaths } from '../../../guest-agent/security/hide.ts';
import { S_IFCHR, S_IFDIR } from '../../../guest-agent/sys/constants.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';

const ROOT = 7;
const NULL = { mode: S_IFCHR | 0o666, device: 0x103 };
const FOLDER = { mode: S_IFDIR | 0o755, device: 0 };

test('a file is covered by /dev/null, a folder by an empty one that is read-only', (t) => {
  const fds: Record<string, number> = { '/dev/null': 20, '/proc/keys': 21, '/proc/acpi': 22 };
  const { sys, calls } = recordingSys({
    openat2: (_, path) => fds[String(path)] ?? failing('ENOENT')(),
    fstat: (fd) => (fd === 22 ? FOLDER : NULL),
  });
  maskPaths(sys, ROOT, ['/proc/keys', '/proc/acpi', '/proc/not-there']);
  t.deepEqual(
    calls.filter((call) => call.startsWith('mount')),
    ['mount /proc/self/fd/20 /proc/self/fd/21 - 4096 -', 'mount tmpfs /proc/self/fd/22 tmpfs 15 size=0'],
  );
  t.deepEqual(
    calls.filter((call) => call.startsWith('close')),
    ['close 21', 'close 22', 'close 20'],
  );
});

test('what is called /dev/null and is not is no cover', (t) => {
  for (const status of [{ mode: 0o100666, device: 0 }, FOLDER, { ...NULL, device: 0x105 }]) {
    const { sys, calls } = recordingSys({ fstat: () => status });
    t.throws(() => maskPaths(sys, ROOT, ['/proc/keys']), { message: 'verify `/dev/null`: ENODEV' });
    t.false(calls.some((call) => call.startsWith('mount')));
  }
});

test('a link on the way to a path is an error, not a missing path', (t) => {
  const openat2 = (_: number, path: string | Buffer) => (path === '/dev/null' ? 20 : failing('ELOOP')());
  t.throws(() => maskPaths(recordingSys({ openat2 }).sys, ROOT, ['/proc/keys']), { message: /ELOOP/ });
  t.throws(() => makeReadonly(recordingSys({ openat2 }).sys, ROOT, ['/proc/sys']), { message: /ELOOP/ });
});

test('a path becomes read-only before it is seen', (t) => {
  const { sys, calls } = recordingSys({ openat2: () => 20, cloneMount: () => 21 });
  makeReadonly(sys, ROOT, ['/proc/sys']);
  t.deepEqual(calls.slice(1), [
    'cloneMount 20',
    'setMountAttributes 21 15',
    'attachMount 21 20',
    'close 21',
    'close 20',
  ]);
});
