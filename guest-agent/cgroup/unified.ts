import { enableController, type Write } from './controller.ts';

/**
 * Files of the cgroup that have no name of their own in an OCI runtime config, such as memory.high.
 *
 * @param files names as wire/limits.ts checks them: a controller's name and a key, no path
 */
export function writeUnified(folder: string, write: Write, files: Record<string, string>): void {
  for (const [file, value] of Object.entries(files)) {
    const [controller = ''] = file.split('.', 1);
    // cgroup.* belongs to every cgroup.
    if (controller !== 'cgroup') enableController(folder, controller);
    write(file, value);
  }
}
