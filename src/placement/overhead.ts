/**
 * What kernel, agent and zygote take of a guest's memory: 192 MiB, and a 48th of what it has beyond 1280 MiB, for the kernel
 * describes each page in 64 bytes. Containers get the rest and no more: guest-agent/cgroup/memory.ts.
 *
 * @param memory bytes of the guest
 */
export const guestOverhead = (memory: number): number => LEAST + Math.ceil(Math.max(0, memory - FROM) / SHARE);

/** The other way round: bytes of the smallest guest that has so many for containers. */
export function memoryFor(containers: number): number {
  const beyond = containers + LEAST - FROM;
  return containers + LEAST + Math.ceil(Math.max(0, beyond) / (SHARE - 1));
}

const MIB = 1024 * 1024;
const LEAST = 192 * MIB;
const FROM = 1280 * MIB;
const SHARE = 48;
