import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/** Which devices may be made, read and written: OCI runtime specification, config-linux.md, "Allowed Device list". */
export interface DeviceRule {
  allow: boolean;
  /** All, character devices, block devices. */
  type: 'a' | 'c' | 'b';
  /** Null is all. */
  major: number | null;
  minor: number | null;
  /** Of r, w and m. */
  access: string;
}

/**
 * What every container has: to make device files of any kind, which is harmless as long as they cannot be opened, and to
 * use those that its /dev has. The console is a pseudo terminal.
 */
export const DEFAULT_DEVICES: DeviceRule[] = [
  { allow: false, type: 'a', major: null, minor: null, access: 'rwm' },
  { allow: true, type: 'c', major: null, minor: null, access: 'm' },
  { allow: true, type: 'b', major: null, minor: null, access: 'm' },
  ...[
    [1, 3], // null
    [1, 5], // zero
    [1, 7], // full
    [1, 8], // random
    [1, 9], // urandom
    [5, 0], // tty
    [5, 2], // ptmx
  ].map(([major = 0, minor = 0]) => ({ allow: true, type: 'c' as const, major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, minor: null, access: 'rwm' }, // pseudo terminals
];

/**
 * Lets processes of the cgroup, and of those below it, use only what `rules` allow: all else is EPERM. A program on a cgroup
 * below stands in for this one where `replaceable`.
 */
export function filterDevices(sys: Sys, folder: string, rules: DeviceRule[], replaceable: boolean): void {
  const cgroup = sys.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  try {
    const program = sys.loadDeviceProgram(deviceProgram(rules));
    try {
      sys.attachDeviceProgram(cgroup, program, replaceable ? BPF_F_ALLOW_OVERRIDE : 0);
    } finally {
      sys.close(program);
    }
  } finally {
    sys.close(cgroup);
  }
}

/**
 * The eBPF program of a list of rules, of which the last one that matches decides, and none means no. It is called with
 * struct bpf_cgroup_dev_ctx {u32 access_type, major, minor}, access_type being access << 16 | type; it returns 1 to allow.
 *
 * A rule that denies matches when it covers any of what is asked, one that allows when it covers all of it.
 */
export function deviceProgram(rules: DeviceRule[]): Buffer {
  const ordered = rules.toReversed();
  // What could never be reached the kernel refuses.
  const last = ordered.findIndex(matchesAll);
  const blocks = (last < 0 ? ordered : ordered.slice(0, last + 1)).map(ruleBlock);
  return Buffer.concat([...PROLOGUE, ...blocks.flat(), ...(last < 0 ? decide(false) : [])]);
}

const maskOf = ({ access }: DeviceRule) =>
  Object.entries(ACCESS).reduce((bits, [letter, bit]) => (access.includes(letter) ? bits | bit : bits), 0);
const matchesAll = (rule: DeviceRule) =>
  rule.type === 'a' && rule.major === null && rule.minor === null && maskOf(rule) === ALL_ACCESS;

/** Each test that fails jumps behind the block. */
function ruleBlock(rule: DeviceRule): Buffer[] {
  const mask = maskOf(rule);
  const tests: ((distance: number) => Buffer[])[] = [];
  if (rule.type !== 'a') tests.push((distance) => [jump(JNE_IMM, TYPE, distance, rule.type === 'b' ? 1 : 2)]);
  if (mask !== ALL_ACCESS)
    tests.push((distance) => [
      instruction(MOV_REG, SCRATCH, ASKED),
      instruction(AND_IMM, SCRATCH, 0, 0, mask),
      rule.allow ? instruction(JNE_REG, SCRATCH, ASKED, distance) : jump(JEQ_IMM, SCRATCH, distance, 0),
    ]);
  for (const [register, value] of [
    [MAJOR, rule.major],
    [MINOR, rule.minor],
  ] as const)
    if (value !== null) tests.push((distance) => [jump(JNE_IMM, register, distance, value)]);
  const end = decide(rule.allow);
  // From the last test to the first, as each must know how much comes after it.
  return tests.reduceRight<Buffer[]>((rest, test) => [...test(rest.length), ...rest], end);
}

const decide = (allow: boolean) => [instruction(MOV_IMM, RESULT, 0, 0, allow ? 1 : 0), instruction(EXIT, 0)];
const jump = (code: number, register: number, distance: number, value: number) =>
  instruction(code, register, 0, distance, value);

/** struct bpf_insn {u8 code, dst:4 src:4; s16 off; s32 imm}: Documentation/bpf/instruction-set.rst. */
function instruction(code: number, destination: number, source = 0, offset = 0, immediate = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(destination | (source << 4), 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate | 0, 4);
  return bytes;
}

const LOAD_WORD = 0x61;
const MOV_IMM = 0xb7;
const MOV_REG = 0xbf;
const AND_IMM = 0x57;
const SHIFT_RIGHT = 0x77;
const JEQ_IMM = 0x15;
const JNE_IMM = 0x55;
const JNE_REG = 0x5d;
const EXIT = 0x95;

const RESULT = 0;
const CONTEXT = 1;
const TYPE = 2;
const ASKED = 3;
const MAJOR = 4;
const MINOR = 5;
const SCRATCH = 6;

const PROLOGUE = [
  instruction(LOAD_WORD, TYPE, CONTEXT, 0),
  instruction(AND_IMM, TYPE, 0, 0, 0xffff),
  instruction(LOAD_WORD, ASKED, CONTEXT, 0),
  instruction(SHIFT_RIGHT, ASKED, 0, 0, 16),
  instruction(LOAD_WORD, MAJOR, CONTEXT, 4),
  instruction(LOAD_WORD, MINOR, CONTEXT, 8),
];

/** BPF_DEVCG_ACC_* */
const ACCESS: Record<string, number> = { m: 1, r: 2, w: 4 };
const ALL_ACCESS = 7;
const BPF_F_ALLOW_OVERRIDE = 1;
