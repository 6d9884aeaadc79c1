import test, { type ExecutionContext } from 'ava';
import { compactFilter } from '../../../../guest-agent/security/seccomp/compact.ts';
import { DEFAULT_PROFILE } from '../../../../guest-agent/security/seccomp/default-profile.ts';
import { programOf, type SeccompFilter } from '../../../../guest-agent/security/seccomp/filter.ts';
import { filterOf } from '../../../../guest-agent/security/seccomp/profile.ts';
import { encode } from '../../../../guest-agent/sys/classic-bpf.ts';
import { compileFilter } from '../../../../guest-agent/sys/seccomp.ts';
import { runFilter } from '../../../helpers/run-filter.ts';

const ARCHITECTURES = { 'x86-64 and x32': 0xc000003e, i386: 0x40000003, arm64: 0xc00000b7, none: 0 };
const X32 = 0x40000000;

test('a compact filter decides on every call as the one that it was made of', (t) => {
  for (const capabilities of [[], ['CAP_SYS_ADMIN', 'CAP_BPF'], ['CAP_SYS_PTRACE', 'CAP_SYS_TIME', 'CAP_PERFMON']]) {
    const before = compileFilter(programOf(filterOf(DEFAULT_PROFILE, capabilities, '6.1.0-1-amd64')));
    const after = compactFilter(before);
    t.true(after.length < before.length / 3, `${after.length} of ${before.length} bytes`);
    assertSame(t, before, after);
  }
});

test('so it does for profiles that look at arguments in every way', (t) => {
  const operators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'] as const;
  const before = compileFilter(
    programOf({
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      syscalls: [
        ...operators.map((operator, index) => ({
          names: ['ioctl', 'prctl', 'fcntl', 'socket', 'clone', 'mmap', 'lseek'].slice(index, index + 1),
          action: 'SCMP_ACT_ERRNO' as const,
          errnoRet: 100 + index,
          args: [
            { index: index % 6, op: `SCMP_CMP_${operator}` as const, value: 0x1_0000_0007, valueTwo: 5 },
            { index: (index + 1) % 6, op: 'SCMP_CMP_GE' as const, value: 3 },
          ],
        })),
        { names: ['kill', 'tgkill', 'tkill'], action: 'SCMP_ACT_KILL_PROCESS' },
        { names: ['sync'], action: 'SCMP_ACT_LOG' },
      ],
    } satisfies SeccompFilter),
  );
  assertSame(t, before, compactFilter(before));
});

test('a filter whose comparisons are far apart still reaches its verdicts', (t) => {
  // Every second number has a verdict of its own: nothing to join, and more than one comparison can skip.
  const before = Buffer.concat([
    instruction(0x20, 0, 0, 4),
    instruction(0x15, 1, 0, ARCHITECTURES['x86-64 and x32']),
    instruction(0x06, 0, 0, 0),
    instruction(0x20, 0, 0, 0),
    ...Array.from({ length: 700 }, (_, index) => [
      instruction(0x15, 0, 1, index * 2),
      instruction(0x06, 0, 0, 0x50000 + (index % 300)),
    ]).flat(),
    instruction(0x06, 0, 0, 0x7fff0000),
  ]);
  // What does not get shorter stays; here the jumps are of interest all the same.
  const padded = Buffer.concat([before, ...Array.from({ length: 1500 }, () => instruction(0x06, 0, 0, 0))]);
  const after = compactFilter(padded);
  t.true(after.length < padded.length);
  assertSame(t, before, after);
});

test('a program that is not as libseccomp writes them stays as it is', (t) => {
  const end = instruction(0x06, 0, 0, 0);
  for (const program of [
    [instruction(0x20, 0, 0, 0), instruction(0x54, 0, 0, 1), instruction(0x15, 0, 0, 1), end], // a masked number
    [instruction(0x20, 0, 0, 4), instruction(0x25, 0, 0, 1), end], // architectures in an order
    [instruction(0x20, 0, 0, 16), instruction(0x07, 0, 0, 0), end], // another register
    [instruction(0x20, 0, 0, 0), instruction(0x05, 0, 0, 9), end], // no end
  ])
    t.deepEqual(compactFilter(Buffer.concat(program)), Buffer.concat(program));
});

function assertSame(t: ExecutionContext, before: Buffer, after: Buffer): void {
  const all = argumentsFor(before);
  for (const [name, architecture] of Object.entries(ARCHITECTURES))
    for (const call of numbers(before))
      for (const args of CONDITIONAL.has(call % X32) ? all : [...all].splice(call % all.length, 3)) {
        const asked = { architecture, call, args };
        const [was, is] = [runFilter(before, asked), runFilter(after, asked)];
        if (was !== is) return t.fail(`${name}, call ${call}, arguments ${args.join(' ')}: ${was} became ${is}`);
      }
  t.pass();
}

/** Calls that some filter here decides on by their arguments: lseek, mmap, ioctl, socket, clone, fcntl, personality, prctl. */
const CONDITIONAL = new Set([8, 9, 16, 41, 56, 72, 135, 157]);

/** Every number near one that the program knows, and those that calls have. */
function numbers(program: Buffer): Set<number> {
  const all = new Set([0xffffffff, X32 - 1]);
  for (let number = 0; number < 470; number++) for (const base of [0, X32]) all.add(base + number);
  for (const value of constants(program)) for (const near of [-1, 0, 1]) all.add((value + near) >>> 0);
  return all;
}

/** Six arguments of each value that tells branches apart, alone and in two halves. */
function argumentsFor(program: Buffer): bigint[][] {
  const small = [...constants(program)].filter((value) => value > 600 || value < 16).slice(0, 12);
  const words = [0, 1, 2, 3, 5, 7, 8, 0xffffffff, ...small].map(BigInt);
  const values = [...words, ...words.map((word) => (word << 32n) | 7n), ...words.map((word) => (1n << 32n) | word)];
  return values.map((value, index) => Array.from({ length: 6 }, (_, at) => (at % 2 ? values[index - 1] : value) ?? 0n));
}

function constants(program: Buffer): Set<number> {
  const all = new Set<number>();
  for (let at = 0; at < program.length; at += 8)
    if ((program.readUInt16LE(at) & 7) === 5 && program.readUInt16LE(at) !== 5) all.add(program.readUInt32LE(at + 4));
  return all;
}

const instruction = (code: number, yes: number, no: number, value: number) => encode([{ code, yes, no, value }]);
