import test from 'ava';
import { readU64, structure, writeU64 } from '../../../guest-agent/sys/structure.ts';

test('numbers of up to 53 bits are written as the kernel reads them', (t) => {
  const memory = structure(16);
  for (const value of [0, 1, 2 ** 31, 2 ** 32, 0x200000000 + 0x20000000 + 0x1000, Number.MAX_SAFE_INTEGER]) {
    writeU64(memory, value, 8);
    t.is(memory.readBigUInt64LE(8), BigInt(value));
    t.is(readU64(memory, 8), value);
  }
});
