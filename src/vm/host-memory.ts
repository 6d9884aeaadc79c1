import { readFile } from 'node:fs/promises';

/** Bytes that new guests may take without swapping: MemAvailable, proc_meminfo(5). */
export async function hostMemoryAvailable(file = '/proc/meminfo'): Promise<number> {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile(file, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`read \`${file}\`: no MemAvailable`);
  return Number(kibibytes) * 1024;
}
