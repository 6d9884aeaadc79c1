import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';

/**
 * The device of the SCSI disk with this serial, e.g. /dev/sda. A disk that is being plugged in is waited for.
 *
 * @throws when none appeared in DISK_TIME_LIMIT milliseconds
 */
export async function findDisk(serial: string, { sys = '/sys', dev = '/dev', timeLimit = DISK_TIME_LIMIT } = {}) {
  const signal = AbortSignal.timeout(timeLimit);
  const watcher = watch(dev);
  try {
    for (;;) {
      const name = readdirSync(join(sys, 'block')).find((disk) => serialOf(sys, disk) === serial);
      // The device file follows when the disk can be read.
      if (name !== undefined && existsSync(join(dev, name))) return join(dev, name);
      await once(watcher, 'change', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`find disk \`${serial}\`: no disk with this serial in /sys/block after ${timeLimit} ms`, {
      cause: error,
    });
  } finally {
    watcher.close();
  }
}

/** The unit serial number page of SCSI Primary Commands: four bytes of header, then the text. */
function serialOf(sys: string, disk: string): string | undefined {
  try {
    const page = readFileSync(join(sys, 'block', disk, 'device/vpd_pg80'));
    return page.toString('latin1', 4).trim();
  } catch {
    return undefined; // No SCSI disk, or unplugged meanwhile.
  }
}

const DISK_TIME_LIMIT = 10_000;
