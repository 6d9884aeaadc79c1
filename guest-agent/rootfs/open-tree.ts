import { mkdirSync } from 'node:fs';
import type { StoppedRoot } from '../runtime.ts';
import {
  MNT_DETACH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { overlayOptions } from './overlay.ts';

/**
 * A folder of a container, read-only: `upper` what it wrote, `image` its layers, `whole` both; `writable` both as the
 * container itself has them, which must not run meanwhile. The mount has lost its name
 * when this returns and goes with the descriptor, also when the agent is killed.
 */
export function openTree(sys: Sys, rootfs: StoppedRoot, tree: 'upper' | 'image' | 'whole' | 'writable'): number {
  const { root, layersFolder, layers, upper, work } = rootfs;
  if (tree === 'upper') return sys.open(upper, FOLDER);
  const lower = tree === 'image' ? layers : [upper, ...layers];
  // Layers go by short names, as all must fit the options: relative to the working directory.
  sys.chdir(layersFolder);
  try {
    // Without an upper folder overlayfs wants two lower ones at least.
    if (lower.length === 1 && tree !== 'writable') return sys.open(lower[0] ?? '', FOLDER);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (tree === 'writable') sys.mount('overlay', root, 'overlay', flags, overlayOptions({ layers, upper, work }));
    else sys.mount('overlay', root, 'overlay', flags | MS_RDONLY, `lowerdir=${lower.join(':')}`);
    try {
      return sys.open(root, FOLDER);
    } finally {
      sys.umount2(root, MNT_DETACH);
    }
  } finally {
    sys.chdir('/');
  }
}

const FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
