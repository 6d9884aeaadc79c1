import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../wire/limits.ts';
import { enableController, type Write } from './controller.ts';
import { nestedKeys } from './keys.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "IO". A device takes one line of io.max at a time. */
export function limitIo(folder: string, write: Write, blockIO: NonNullable<Limits['blockIO']>): void {
  enableController(folder, 'io');
  const weightFile = existsSync(join(folder, BFQ_WEIGHT)) ? BFQ_WEIGHT : 'io.weight';
  const scale = weightFile === BFQ_WEIGHT ? (weight: number) => weight : weightOf;
  if (blockIO.weight !== undefined) write(weightFile, `default ${scale(blockIO.weight)}`);
  for (const { major, minor, weight } of blockIO.weightDevice ?? [])
    write(weightFile, `${major}:${minor} ${scale(weight)}`);
  for (const [list, key] of THROTTLES)
    for (const { major, minor, rate } of blockIO[list] ?? [])
      write('io.max', `${major}:${minor} ${key}=${rate === 0 ? 'max' : rate}`);
}

/** What was read from and written to each device. Nothing where the controller is not enabled. */
export function ioUsage(folder: string) {
  const file = join(folder, 'io.stat');
  if (!existsSync(file)) return [];
  return nestedKeys(readFileSync(file, 'utf8'))
    .filter(([key]) => /^\d+:\d+$/.test(key))
    .map(([key, { rbytes = 0, wbytes = 0, rios = 0, wios = 0 }]) => {
      const [major, minor] = key.split(':').map(Number);
      return {
        major: major ?? 0,
        minor: minor ?? 0,
        readBytes: rbytes,
        writtenBytes: wbytes,
        reads: rios,
        writes: wios,
      };
    });
}

/** A weight of cgroup v1 (10 to 1000) as one of v2 (1 to 10000), as other runtimes count. */
const weightOf = (weight: number) => 1 + Math.floor(((weight - 10) * 9999) / 990);

/** Where the BFQ scheduler is loaded, it is the one that weighs. */
const BFQ_WEIGHT = 'io.bfq.weight';

const THROTTLES = [
  ['throttleReadBpsDevice', 'rbps'],
  ['throttleWriteBpsDevice', 'wbps'],
  ['throttleReadIOPSDevice', 'riops'],
  ['throttleWriteIOPSDevice', 'wiops'],
] as const;
