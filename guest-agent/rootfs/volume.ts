import { execFile } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.ts';

/** Below a volume's mount: what its containers see. Beside it are the file system's own lost+found, and what is being filled in. */
export const VOLUME_FILES = 'files';

/**
 * Mounts a volume's ext4. The kernel replays its journal where the last guest ended without unmounting it; it stops writing
 * when it finds damage, instead of making it worse. One that is mounted stays.
 *
 * @returns false, and it is not mounted, when it must be mounted for writing once before it can be mounted for reading
 */
export async function mountVolume(device: string, target: string, readOnly: boolean): Promise<boolean> {
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const files = join(target, VOLUME_FILES);
  const options = ['nodev', 'noatime', 'errors=remount-ro', ...(readOnly ? ['ro'] : ['discard'])].join(',');
  if (!isMountPoint(target) && !(await tryMount(device, target, options))) return false;
  if (existsSync(files)) return true;
  if (readOnly) {
    await busybox('umount', target);
    return false;
  }
  mkdirSync(files, { mode: 0o755 });
  return true;
}

/**
 * Resolves when the file system is written and let go of by everybody, and the guest has forgotten its disk, which can then
 * be unplugged. Absent is success.
 *
 * @throws with EBUSY when something still uses it after a while
 */
export async function unmountVolume(device: string, target: string): Promise<void> {
  if (existsSync(target) && isMountPoint(target)) await busybox('umount', target);
  // A container's mount namespace is taken down some time after its last process has ended.
  const limit = Date.now() + BUSY_MILLISECONDS;
  while (isBusy(device)) {
    if (Date.now() > limit) throw new Error(`unmount volume on \`${device}\`: EBUSY: it is still in use`);
    await delay(LOOK_AGAIN);
  }
  // Otherwise a disk that comes back soon meets what the kernel still knows of this one.
  writeFileSync(`/sys/block/${basename(device)}/device/delete`, '1');
  // Not with what is in it: that would be the volume's, should it be mounted after all.
  if (existsSync(target)) rmdirSync(target);
}

/** sync(1): names reach the disk by the journal, what is in files a good while later. */
export async function flushVolume(target: string): Promise<void> {
  await busybox('sync', '-f', target);
}

/** @returns false where a journal is to be replayed on a disk that cannot be written: EROFS, ext4(5). */
async function tryMount(device: string, target: string, options: string): Promise<boolean> {
  try {
    await busybox('mount', '-t', 'ext4', '-o', options, device, target);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.endsWith('Read-only file system')) return false;
    throw error;
  }
}

/**
 * A process of its own may wait for a disk; the agent may not. Replaying a journal, and writing what a file system still has
 * in memory, take seconds.
 */
async function busybox(...command: string[]): Promise<void> {
  try {
    await promisify(execFile)('/bin/busybox', command);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(stderr.trim().split('\n').at(-1) || `${command.join(' ')}: it failed`, { cause: error });
  }
}

/** A mounted file system holds its device for itself: open(2), O_EXCL. */
function isBusy(device: string): boolean {
  try {
    closeSync(openSync(device, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    if (errnoOf(error) === 'EBUSY') return true;
    throw error;
  }
}

const isMountPoint = (folder: string) => statSync(folder).dev !== statSync(dirname(folder)).dev;

const BUSY_MILLISECONDS = 20_000;
const LOOK_AGAIN = 20;
