import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';
import { makeDevices } from './devices.ts';
import { openInRoot } from './in-root.ts';

/**
 * Mounts what the kernel provides, as the OCI runtime specification's default file systems for Linux say. The working
 * directory is the root. Mounted in the new namespaces, each shows only what belongs to the container.
 */
export function mountKernelFileSystems(sys: Sys, root: number): void {
  const mountOn = (path: string, type: string, flags: number, options: string | null) => {
    const fd = openOrMakeFolder(sys, root, path);
    sys.mount(type, `/proc/self/fd/${fd}`, type, flags, options);
    sys.close(fd);
  };
  mountOn('proc', 'proc', HARMLESS, null);
  mountOn('dev', 'tmpfs', MS_NOSUID | MS_NOEXEC, 'mode=755,size=64k');
  makeDevices(sys, 'dev');
  mountOn('dev/pts', 'devpts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=0620,gid=5');
  mountOn('dev/shm', 'tmpfs', HARMLESS, 'mode=1777,size=64m');
  mountOn('dev/mqueue', 'mqueue', HARMLESS, null);
  mountOn('sys', 'sysfs', HARMLESS | MS_RDONLY, null);
  mountOn('sys/fs/cgroup', 'cgroup2', HARMLESS | MS_RDONLY, null);
}

/** Images need not have the folders; a link in their place is refused. */
function openOrMakeFolder(sys: Sys, root: number, path: string): number {
  const existing = unless(['ENOENT'], () => openInRoot(sys, root, path));
  if (existing !== undefined) return existing;
  sys.mkdir(path, 0o755);
  return openInRoot(sys, root, path);
}

const HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC;
