import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MS_NODEV, MS_RDONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/** Mounts a layer's squashfs, read-only and without devices. One that is mounted stays. */
export function mountLayer(sys: Sys, device: string, target: string): void {
  mkdirSync(target, { recursive: true });
  if (isMountPoint(target)) return;
  sys.mount(device, target, 'squashfs', MS_RDONLY | MS_NODEV, null);
}

/** Fails with EBUSY while files of it are open in the guest; containers' overlays do not count, their user must. */
export function unmountLayer(sys: Sys, target: string): void {
  unless(['ENOENT', 'EINVAL'], () => sys.umount2(target, 0));
  try {
    rmdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const isMountPoint = (folder: string) => statSync(folder).dev !== statSync(dirname(folder)).dev;
