import test from 'ava';
import { DEFAULT_PROFILE } from '../../../../guest-agent/security/seccomp/default-profile.ts';
import { runFilter } from '../../../helpers/run-filter.ts';
import { installable, refuseNotify, type SeccompFilter } from '../../../../guest-agent/security/seccomp/filter.ts';
import { filterOf } from '../../../../guest-agent/security/seccomp/profile.ts';

/** Numbers of arch/x86/entry/syscalls/syscall_64.tbl. */
const CALLS = {
  read: 0,
  socket: 41,
  clone: 56,
  ptrace: 101,
  personality: 135,
  mount: 165,
  unshare: 272,
  bpf: 321,
  clone3: 435,
};
const X86_64 = 0xc000003e;
const [ALLOW, EPERM, ENOSYS] = [0x7fff0000, 0x50001, 0x50026];

const decide = (filter: SeccompFilter, call: number, args: bigint[] = [], architecture = X86_64) =>
  runFilter(Buffer.from(installable(filter).program, 'base64'), { architecture, call, args });

const byDefault = (...capabilities: string[]) => filterOf(DEFAULT_PROFILE, capabilities, '6.1.0-1-amd64');

test('what programs need is allowed, what changes the guest is not', (t) => {
  t.is(decide(byDefault(), CALLS.read), ALLOW);
  t.is(decide(byDefault(), CALLS.ptrace), ALLOW);
  for (const name of ['mount', 'unshare', 'bpf'] as const) t.is(decide(byDefault(), CALLS[name]), EPERM, name);
});

test('groups of calls follow the capabilities of the container', (t) => {
  t.is(decide(byDefault('CAP_SYS_ADMIN'), CALLS.mount), ALLOW);
  t.is(decide(byDefault('CAP_SYS_ADMIN'), CALLS.clone3), ALLOW);
  t.is(decide(byDefault('CAP_BPF'), CALLS.bpf), ALLOW);
  t.is(decide(byDefault('CAP_BPF'), CALLS.mount), EPERM);
});

test('clone makes threads but no namespaces, and clone3 does not exist', (t) => {
  t.is(decide(byDefault(), CALLS.clone, [0x3d0f00n]), ALLOW);
  for (const flag of [0x10000000n, 0x20000n, 0x40000000n, 0x2000000n])
    t.is(decide(byDefault(), CALLS.clone, [flag]), EPERM);
  t.is(decide(byDefault(), CALLS.clone3), ENOSYS);
});

test('there are sockets, but none of AF_VSOCK', (t) => {
  t.is(decide(byDefault(), CALLS.socket, [2n, 1n]), ALLOW);
  t.is(decide(byDefault(), CALLS.socket, [40n, 1n]), EPERM);
});

test('personality takes only what does no harm', (t) => {
  t.is(decide(byDefault(), CALLS.personality, [0xffffffffn]), ALLOW);
  t.is(decide(byDefault(), CALLS.personality, [0x0040000n]), EPERM, 'ADDR_NO_RANDOMIZE');
});

test('a call newer than all that the filter knows does not exist', (t) => {
  t.is(decide(byDefault(), 999), ENOSYS);
});

test('another architecture than the three of the machine ends the thread', (t) => {
  t.is(decide(byDefault(), CALLS.read, [], 0xc00000b7), 0);
});

test('errors, conditions and several conditions on one argument are as a profile has them', (t) => {
  const filter: SeccompFilter = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 },
      { names: ['no_such_call'], action: 'SCMP_ACT_KILL_PROCESS' },
      {
        names: ['socket'],
        action: 'SCMP_ACT_KILL_PROCESS',
        args: [
          { index: 0, value: 16, op: 'SCMP_CMP_EQ' },
          { index: 0, value: 17, op: 'SCMP_CMP_EQ' },
        ],
      },
      {
        names: ['clone'],
        action: 'SCMP_ACT_TRACE',
        errnoRet: 7,
        args: [{ index: 1, value: 0xf0, valueTwo: 0x30, op: 'SCMP_CMP_MASKED_EQ' }],
      },
    ],
  };
  t.is(decide(filter, CALLS.mount), 0x5005f);
  t.is(decide(filter, CALLS.socket, [16n]), 0x80000000);
  t.is(decide(filter, CALLS.socket, [17n]), 0x80000000);
  t.is(decide(filter, CALLS.socket, [2n]), ALLOW);
  t.is(decide(filter, CALLS.clone, [0n, 0x3fn]), 0x7ff00007);
  t.is(decide(filter, CALLS.clone, [0n, 0x4fn]), ALLOW);
});

test('a filter that asks a supervisor is refused in words', (t) => {
  const problems = refuseNotify({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath: '/run/x',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
  });
  t.is(problems.length, 2);
  t.regex(problems[0] ?? '', /SCMP_ACT_NOTIFY/);
});
