import test from 'ava';
import { initContainer } from '../../../guest-agent/zygote/init.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';
import { containerInit } from './samples.ts';

const SIGPIPE = 13;

function initCalls() {
  const { sys, calls } = recordingSys();
  initContainer(sys, containerInit(), [SIGPIPE]);
  return calls;
}

/** The calls that begin with `names` come in this order. */
const inOrder = test.macro((t, names: string[]) => {
  const calls = initCalls();
  const places = names.map((name) => calls.findIndex((call) => call.startsWith(name)));
  t.false(places.includes(-1), `${names[places.indexOf(-1)] ?? ''} is not among:\n${calls.join('\n')}`);
  t.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
});

test("streams are opened by the guest's names, before the root changes", inOrder, [
  'open /run/out',
  'open /run/err',
  'open /dev/null',
  'pivotRoot',
]);

test('no mount comes before the mount namespace is its own and keeps to itself', inOrder, [
  'unshare',
  'mount - / -',
  'mount proc',
  'mount overlay /run/root overlay',
]);

test("the kernel's file systems come in an order in which each has its mount point", inOrder, [
  'mount proc proc',
  'mount dev dev tmpfs',
  'mknod dev/null',
  'mount devpts',
  'mount mqueue',
  'mount sysfs',
  'mount cgroup',
  'mount overlay',
  'open /run/nest/stage/proc',
  'open /run/nest/stage/dev',
  'open /run/nest/stage/sys',
  'pivotRoot . .',
  'umount2 .',
]);

test('paths are hidden after the file systems they are in, and before the program runs', inOrder, [
  'mount cgroup',
  'mount /proc/self/fd/',
  'cloneMount',
  'setMountAttributes',
  'attachMount',
  'pivotRoot',
]);

test('all other descriptors are closed before the working folder is entered', inOrder, [
  'umount2 .',
  'dup2',
  'closeRange 4',
  'chdir /srv',
  'getcwd',
  'execve',
]);

test('rights are given up in an order in which each step may still be made', inOrder, [
  'dropFromBoundingSet',
  'setrlimit',
  'resetSignals 13',
  'prctl',
  'setgroups',
  'setgid 0',
  'setuid 0',
  'capset',
  'write 3',
  'execve /bin/serve /bin/serve,--fast PATH=/bin',
]);

test('the host name is set in the UTS namespace of the container', inOrder, ['unshare', 'sethostname one', 'execve']);

test('a missing working folder is made, step by step', (t) => {
  const { sys, calls } = recordingSys({ chdir: (path) => (path === '/srv/a' ? failing('ENOENT')() : 0) });
  t.throws(() => initContainer(sys, containerInit({ cwd: '/srv/a' }), []), { message: /ENOENT/ });
  t.deepEqual(
    calls.filter((call) => call.startsWith('mkdir /')),
    ['mkdir /srv 493', 'mkdir /srv/a 493'],
  );
});

test('a user other than root owns the streams that are FIFOs, and ends up without capabilities', (t) => {
  const fifo = { mode: 0o010600, device: 0 };
  const { sys, calls } = recordingSys({
    fstat: (fd) => (fd < 12 ? fifo : { mode: 0o020666, device: 0x103 }),
  });
  initContainer(sys, containerInit({ uid: 1000, gid: 100, groups: [7] }), []);
  t.deepEqual(
    calls.filter((call) => call.startsWith('fchown')),
    ['fchown 10 1000 100', 'fchown 11 1000 100'],
  );
  t.deepEqual(
    calls.filter((call) => /^(setg|setuid|capset)/.test(call)),
    ['setgroups 7', 'setgid 100', 'setuid 1000', 'capset 0 0 0'],
  );
});

test('an image whose /proc is a link is refused', (t) => {
  const { sys, calls } = recordingSys({ openat2: (_, path) => (path === 'proc' ? failing('ELOOP')() : 20) });
  t.throws(() => initContainer(sys, containerInit(), []), { message: /ELOOP/ });
  t.false(calls.some((call) => call.startsWith('attachMount 2') || call.startsWith('execve')));
});
