import { arch, cpus, release, totalmem } from 'node:os';

/** What a measurement ran on; ratios of two machines compare, times do not. */
export interface Machine {
  kernel: string;
  architecture: string;
  cpu: string;
  cpus: number;
  /** Bytes. */
  memory: number;
  node: string;
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    kernel: release(),
    architecture: arch(),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cpus: cores.length,
    memory: totalmem(),
    node: process.version,
  };
}
