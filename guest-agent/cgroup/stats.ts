import { readFileSync } from 'node:fs';
import type { ContainerStats } from '../wire/stats.ts';
import { cpuUsage } from './cpu.ts';
import { ioUsage } from './io.ts';
import { memoryUsage } from './memory.ts';
import { pidsUsage } from './pids.ts';
import { pressure } from './pressure.ts';

/** All that the kernel counts of a cgroup; who is alone in it reads it in a few milliseconds. */
export function cgroupStats(folder: string): Omit<ContainerStats, 'readAt' | 'network'> {
  return {
    guest: guestTime(readFileSync('/proc/stat', 'utf8')),
    cpu: cpuUsage(folder),
    memory: memoryUsage(folder),
    pids: pidsUsage(folder),
    io: ioUsage(folder),
    pressure: { cpu: pressure(folder, 'cpu'), memory: pressure(folder, 'memory'), io: pressure(folder, 'io') },
  };
}

/**
 * Time of all processors in microseconds, and their number. Guest time is within user time, so the first eight columns are
 * all of it: proc_stat(5).
 */
export function guestTime(stat: string): { time: number; processors: number } {
  const [total = '', ...rest] = stat.split('\n');
  const ticks = total.trim().split(/\s+/).slice(1, 9).map(Number);
  const processors = rest.filter((line) => /^cpu\d/.test(line)).length;
  return { time: ticks.reduce((sum, each) => sum + each, 0) * MICROSECONDS_PER_TICK, processors };
}

/** USER_HZ is 100 on every architecture that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000;
