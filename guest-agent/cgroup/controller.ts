import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, RequestError } from '../errors.ts';

/**
 * Lets `folder` have the files of a controller, by asking for it in every cgroup above. Only who needs a controller that few
 * need asks: each makes the birth of every cgroup dearer. Kernel documentation admin-guide/cgroup-v2.rst, "Controlling
 * Controllers".
 */
export function enableController(folder: string, controller: string): void {
  const parent = dirname(folder);
  const control = join(parent, 'cgroup.subtree_control');
  // Above the mount there is none.
  if (!existsSync(control) || readFileSync(control, 'utf8').split(/\s+/).includes(controller)) return;
  enableController(parent, controller);
  writeLimit(parent, 'cgroup.subtree_control', `+${controller}`);
}

/** writeLimit of one cgroup. */
export type Write = (file: string, value: string) => void;

/** @throws RequestError that names the file, for a value that this kernel does not take */
export function writeLimit(folder: string, file: string, value: string): void {
  try {
    writeFileSync(join(folder, file), value);
  } catch (error) {
    const errno = errnoOf(error) ?? 'EIO';
    throw new RequestError(400, `write \`${value}\` to \`${file}\`: ${errno}`, { errno, cause: error });
  }
}

/** -1 in an OCI runtime config is `max` in a cgroup's file. */
export const maximum = (limit: number) => (limit === -1 ? 'max' : String(limit));
