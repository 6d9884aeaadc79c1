import test from 'ava';
import { containersMemory } from '../../guest-agent/cgroup/memory.ts';
import { guestOverhead, memoryFor } from '../../src/placement/overhead.ts';

const MIB = 1024 * 1024;
const SIZES = Array.from({ length: 49 }, (_, step) => Math.round(256 * MIB * 2 ** (step / 4)));

test('what is promised to containers the agent leaves to them, in guests from 256 MiB to 1 TiB', (t) => {
  for (const memory of SIZES) {
    // Of a guest of 512 MiB the kernel reports 469: its own 35, and 64 bytes for each page of 4 KiB.
    const total = Math.floor((memory * 63) / 64) - 36 * MIB;
    t.true(containersMemory(total) >= memory - guestOverhead(memory), `${memory / MIB} MiB`);
  }
});

test('the smallest guest for what containers need has room for them, and one byte less has not', (t) => {
  for (const needed of SIZES) {
    const memory = memoryFor(needed);
    t.true(memory - guestOverhead(memory) >= needed, `${needed}`);
    t.true(memory - 1 - guestOverhead(memory - 1) < needed, `${needed}`);
  }
});
