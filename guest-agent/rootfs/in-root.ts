import {
  O_CLOEXEC,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  S_IFREG,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/**
 * A file of a root that an image made, as a descriptor to mount on. Links are refused with ELOOP: an image whose /proc is a
 * link would have mounts, and the writes meant for them, land elsewhere (CVE-2019-19921, CVE-2023-27561, CVE-2025-52881).
 */
export function openInRoot(sys: Sys, root: number, path: string, flags = O_PATH): number {
  return sys.openat2(root, path, flags | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/** Calls `use` with a name of that very file for mount(2); does nothing when there is no such file. */
export function inRoot(sys: Sys, root: number, path: string, use: (target: string, fd: number) => void): void {
  const fd = unless(['ENOENT', 'ENOTDIR'], () => openInRoot(sys, root, path));
  if (fd === undefined) return;
  use(`/proc/self/fd/${fd}`, fd);
  sys.close(fd);
}

/**
 * The same, but links are followed as the container would follow them, and what is missing is made: folders, and in the end
 * a folder or an empty file.
 */
export function makeInRoot(sys: Sys, root: number, path: string, last: 'folder' | 'file'): number {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  let parent = followInRoot(sys, root, '.');
  for (const index of names.keys()) {
    const prefix = names.slice(0, index + 1).join('/');
    const existing = unless(['ENOENT'], () => followInRoot(sys, root, prefix));
    if (existing === undefined) {
      const name = `/proc/self/fd/${parent}/${names[index] ?? ''}`;
      if (last === 'file' && index === names.length - 1) sys.mknod(name, S_IFREG | 0o644, 0);
      else sys.mkdir(name, 0o755);
    }
    sys.close(parent);
    parent = existing ?? followInRoot(sys, root, prefix);
  }
  return parent;
}

/** Links are followed, within the root. */
export const followInRoot = (sys: Sys, root: number, path: string): number =>
  sys.openat2(root, path, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
