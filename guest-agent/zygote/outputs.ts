import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Launched } from './launch.ts';
import type { Outputs, Stdio } from './protocol.ts';

/** A process, and reading ends of its outputs, held so that nothing it wrote is lost: protocol.ts, Stdio. */
export interface Held extends Launched {
  held: number[];
}

/** @param launch makes the process, when its outputs are held; a terminal's other end follows */
export function holdOutputs<T extends Launched>(sys: Sys, stdio: Stdio | Outputs, launch: () => T): T & Held {
  const held: number[] = [];
  const paths = 'stdout' in stdio ? [stdio.stdout, stdio.stderr] : [];
  try {
    for (const path of paths) held.push(sys.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    return { ...launch(), held };
  } catch (error) {
    closeOutputs(sys, { held });
    throw error;
  }
}

export function closeOutputs(sys: Sys, { held }: Pick<Held, 'held'>): void {
  for (const fd of held) sys.close(fd);
}
