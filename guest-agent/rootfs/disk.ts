import { closeSync, openSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../errors.ts';

/**
 * The device of the SCSI disk with this serial, e.g. /dev/sda. A disk that is being plugged in is waited for.
 *
 * @throws when none appeared in DISK_TIME_LIMIT milliseconds
 */
export async function findDisk(serial: string, { sys = '/sys', dev = '/dev', timeLimit = DISK_TIME_LIMIT } = {}) {
  const signal = AbortSignal.timeout(timeLimit);
  let changed = Promise.withResolvers<void>();
  const watcher = watch(dev, () => changed.resolve());
  try {
    for (;;) {
      const name = readdirSync(join(sys, 'block')).find((disk) => serialOf(sys, disk) === serial);
      if (name !== undefined && opens(join(dev, name))) return join(dev, name);
      // Neither the serial's page nor readiness to be opened changes anything in /dev: so it looks again now and then.
      await Promise.race([changed.promise, delay(LOOK_AGAIN, undefined, { signal })]);
      changed = Promise.withResolvers();
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

/** The kernel makes the device file before the disk can be opened: ENXIO meanwhile (block/genhd.c, device_add_disk). */
function opens(device: string): boolean {
  try {
    closeSync(openSync(device, 'r'));
    return true;
  } catch (error) {
    if (NOT_YET.has(errnoOf(error) ?? '')) return false;
    throw error;
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

const NOT_YET = new Set(['ENOENT', 'ENXIO']);
const DISK_TIME_LIMIT = 10_000;
/** Milliseconds. */
const LOOK_AGAIN = 50;
