import type { Sys } from '../sys/sys.ts';
import { O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from '../sys/constants.ts';
import { walk } from './walk.ts';

/**
 * Makes the files of `trees` one project with this limit. The limit comes first: at no time is a folder without it.
 * Everything in a tree belongs to the project, as what is renamed within it could not change between two. ext4 counts
 * blocks, so that a hole is free.
 *
 * @returns bytes that the project takes
 */
export function limitTrees(sys: Sys, trees: string[], { project, bytes }: { project: number; bytes: number }): number {
  let usage = 0;
  for (const tree of trees) {
    const top = sys.open(tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    try {
      sys.limitProject(top, project, bytes);
      sys.setProject(top, project, true);
      for (const { at, stats } of walk(top))
        if (stats.isDirectory() || stats.isFile()) setProject(sys, at, project, stats.isDirectory());
      usage = sys.projectUsage(top, project);
    } finally {
      sys.close(top);
    }
  }
  return usage;
}

function setProject(sys: Sys, path: Buffer, project: number, isFolder: boolean): void {
  const file = sys.openat2(-1, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  try {
    sys.setProject(file, project, isFolder);
  } finally {
    sys.close(file);
  }
}
