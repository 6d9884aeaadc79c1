import { mkdirSync, rmSync } from 'node:fs';
import { stdioPaths } from '../folders.ts';
import type { Stdio } from '../zygote/protocol.ts';

/** Makes the FIFOs of one process anew in `folder`: what an earlier process left in its own is gone with them. */
export function makeFifos(folder: string, stdin: boolean, mkfifo: (path: string, mode: number) => void): Stdio {
  const paths = stdioPaths(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeFifos(folder);
  if (stdin) mkfifo(paths.stdin, 0o600);
  mkfifo(paths.stdout, 0o600);
  mkfifo(paths.stderr, 0o600);
  return { ...paths, stdin: stdin ? paths.stdin : null };
}

export function removeFifos(folder: string): void {
  for (const path of Object.values(stdioPaths(folder))) rmSync(path, { force: true });
}
