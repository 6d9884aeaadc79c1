import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';
import { makeDevices } from './devices.ts';
import { openInRoot } from './in-root.ts';

/** Where the file systems are mounted before there is a root to have them: a folder with one for each of STAGED. */
export const STAGE = '/run/nest/stage';
export const STAGED = ['proc', 'dev', 'sys'];

/**
 * Mounts what the kernel provides, as the OCI runtime specification's default file systems for Linux say. Mounted in the
 * new namespaces, each shows only what belongs to the container. No file of an image is there yet that could mislead it.
 *
 * @param shmSize bytes that /dev/shm may hold
 * @returns the stage, open; it is the working directory as well
 */
export function mountKernelFileSystems(sys: Sys, shmSize: number): number {
  sys.chdir(STAGE);
  sys.mount('proc', 'proc', 'proc', HARMLESS, null);
  sys.mount('dev', 'dev', 'tmpfs', MS_NOSUID | MS_NOEXEC, 'mode=755,size=64k');
  makeDevices(sys, 'dev');
  sys.mount('devpts', 'dev/pts', 'devpts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=0620,gid=5');
  sys.mount('shm', 'dev/shm', 'tmpfs', HARMLESS, `mode=1777,size=${shmSize}`);
  sys.mount('mqueue', 'dev/mqueue', 'mqueue', HARMLESS, null);
  sys.mount('sysfs', 'sys', 'sysfs', HARMLESS | MS_RDONLY, null);
  sys.mount('cgroup', 'sys/fs/cgroup', 'cgroup2', HARMLESS | MS_RDONLY, null);
  return sys.open('.', O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/** Moves them, with all that is mounted on them, into `root`, which is the working directory: move_mount(2). */
export function moveKernelFileSystems(sys: Sys, root: number): void {
  for (const name of STAGED) {
    const source = sys.open(`${STAGE}/${name}`, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const target = openOrMakeFolder(sys, root, name);
    sys.attachMount(source, target);
    sys.close(source);
    sys.close(target);
  }
}

/** Images need not have the folders; a link in their place is refused. */
function openOrMakeFolder(sys: Sys, root: number, path: string): number {
  const existing = unless(['ENOENT'], () => openInRoot(sys, root, path));
  if (existing !== undefined) return existing;
  sys.mkdir(path, 0o755);
  return openInRoot(sys, root, path);
}

const HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC;
