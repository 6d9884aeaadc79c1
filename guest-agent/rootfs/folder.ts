import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/** Makes a folder and those above it where they are missing. Links in the path stay within the root that was pivoted to. */
export function makeFolder(sys: Sys, path: string): void {
  if (unless(['ENOENT'], () => sys.chdir(path)) !== undefined) return;
  const names = path.split('/').filter((name) => name !== '');
  for (const count of names.keys())
    unless(['EEXIST'], () => sys.mkdir(`/${names.slice(0, count + 1).join('/')}`, 0o755));
}
