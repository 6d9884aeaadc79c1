import test from 'ava';
import { DEFAULT_DEVICES, deviceProgram, type DeviceRule } from '../../../guest-agent/cgroup/devices.ts';

const MKNOD = 1;
const READ = 2;
const WRITE = 4;

/** What the kernel would answer: runs the program on struct bpf_cgroup_dev_ctx {u32 access_type, major, minor}. */
function allows(rules: DeviceRule[], type: 'c' | 'b', access: number, major: number, minor: number): boolean {
  const program = deviceProgram(rules);
  const registers = new Array<number>(11).fill(0);
  const context = [access * 2 ** 16 + (type === 'b' ? 1 : 2), major, minor];
  for (let at = 0; ; at += 8) {
    const [code, both, offset, immediate] = [
      program.readUInt8(at),
      program.readUInt8(at + 1),
      program.readInt16LE(at + 2),
      program.readInt32LE(at + 4),
    ];
    const [to, from] = [both & 15, both >> 4];
    const value = registers[to] ?? 0;
    if (code === 0x61) registers[to] = context[offset / 4] ?? 0;
    else if (code === 0xb7) registers[to] = immediate;
    else if (code === 0xbf) registers[to] = registers[from] ?? 0;
    else if (code === 0x57) registers[to] = value & immediate;
    else if (code === 0x77) registers[to] = value >>> immediate;
    else if (code === 0x15) at += value === immediate ? offset * 8 : 0;
    else if (code === 0x55) at += value === immediate ? 0 : offset * 8;
    else if (code === 0x5d) at += value === registers[from] ? 0 : offset * 8;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`instruction ${code.toString(16)}`);
  }
}

test('by default devices of any kind may be made, and those of /dev used', (t) => {
  t.true(allows(DEFAULT_DEVICES, 'b', MKNOD, 8, 0));
  t.false(allows(DEFAULT_DEVICES, 'b', READ, 8, 0));
  t.true(allows(DEFAULT_DEVICES, 'c', READ | WRITE, 1, 3));
  t.true(allows(DEFAULT_DEVICES, 'c', READ | WRITE, 136, 7));
  t.false(allows(DEFAULT_DEVICES, 'c', READ, 1, 1), '/dev/mem');
  t.false(allows(DEFAULT_DEVICES, 'b', READ, 1, 3), 'a block device with the numbers of /dev/null');
});

test('the last rule that matches decides', (t) => {
  const rule = (allow: boolean, access: string): DeviceRule => ({ allow, type: 'b', major: 8, minor: null, access });
  const rules = [...DEFAULT_DEVICES, rule(true, 'rw'), rule(false, 'w')];
  t.true(allows(rules, 'b', READ, 8, 1));
  t.false(allows(rules, 'b', WRITE, 8, 1));
  t.false(allows(rules, 'b', READ | WRITE, 8, 1), 'asks for more than is allowed');
  t.true(allows(rules, 'b', MKNOD, 8, 1), 'as by default');
});

test('no rule is no device', (t) => {
  t.false(allows([], 'c', READ, 1, 3));
});

test('what comes before a rule that holds for everything is not in the program: the kernel refuses dead code', (t) => {
  const all: DeviceRule = { allow: true, type: 'a', major: null, minor: null, access: 'rwm' };
  t.is(deviceProgram([...DEFAULT_DEVICES, all]).length, deviceProgram([all]).length);
  t.true(allows([...DEFAULT_DEVICES, all], 'c', READ, 1, 1));
});
