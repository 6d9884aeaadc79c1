import path from 'node:path';
import { ok, type Check } from '../check.ts';
import type { Probes } from '../probes.ts';

export const memory: Check = {
  id: 'memory',
  what: 'Free memory',
  why: 'A guest takes what its zone needs, 512 MiB and more.',
  async examine({ availableMemory }) {
    const available = await availableMemory();
    if (available >= ENOUGH) return ok(gibibytes(available));
    return { status: 'failed', detail: `${gibibytes(available)}, wants 2 GiB`, hint: 'Stop what is not needed.' };
  },
};

export const disk: Check = {
  id: 'disk',
  what: 'Free disk',
  why: "Images, layers and the guests' disks live in the data folder.",
  async examine(probes) {
    const { data } = probes.paths;
    const free = await probes.freeDisk(await existing(probes, data));
    if (free >= ENOUGH) return ok(`${gibibytes(free)} for ${data}`);
    return {
      status: 'failed',
      detail: `${gibibytes(free)} for ${data}, wants 2 GiB`,
      hint: 'Free some, or set NEST_DATA_DIR to a larger file system.',
    };
  },
};

export const dataFolder: Check = {
  id: 'data',
  what: 'Data folder',
  why: 'The engine writes there; with qemu:///system QEMU runs as another user and must reach its disks.',
  async examine(probes) {
    const { data } = probes.paths;
    const start = await existing(probes, data);
    if (!(await probes.canWrite(start)))
      return { status: 'failed', detail: `${start}: cannot write`, hint: 'Set NEST_DATA_DIR to a folder of yours.' };
    const closed = probes.libvirtUri === 'qemu:///system' ? await firstClosed(probes, start) : undefined;
    if (closed === undefined) return ok(data);
    return {
      status: 'failed',
      detail: `${data}: QEMU's user cannot pass through ${closed}`,
      hint: `chmod o+x ${closed}, or set NEST_DATA_DIR to another folder.`,
    };
  },
};

/** The folder itself, or the nearest one above it that is there. */
async function existing(probes: Probes, folder: string): Promise<string> {
  return folder === '/' || (await probes.stat(folder)) ? folder : existing(probes, path.dirname(folder));
}

/** The highest folder on the way that others may not pass. */
async function firstClosed(probes: Probes, folder: string): Promise<string | undefined> {
  const above = folder === '/' ? undefined : await firstClosed(probes, path.dirname(folder));
  if (above !== undefined) return above;
  const stats = await probes.stat(folder);
  return stats && (stats.mode & 0o001) === 0 ? folder : undefined;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** 2 GiB. */
const ENOUGH = 2 * 1024 ** 3;
