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

/**
 * A folder of a container, read-only: `upper` what it wrote, `image` its layers, `whole` both. The mount has lost its name
 * when this returns and goes with the descriptor, also when the agent is killed.
 */
export function openTree(sys: Sys, rootfs: StoppedRoot, tree: 'upper' | 'image' | 'whole'): number {
  const { root, layersFolder, layers, upper } = rootfs;
  if (tree === 'upper') return sys.open(upper, FOLDER);
  const lower = tree === 'image' ? layers : [upper, ...layers];
  // Layers go by short names, as all must fit the options: relative to the working directory.
  sys.chdir(layersFolder);
  try {
    // Without an upper folder overlayfs wants two lower ones at least.
    if (lower.length === 1) return sys.open(lower[0] ?? '', FOLDER);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    sys.mount('overlay', root, 'overlay', flags, `lowerdir=${lower.join(':')}`);
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
