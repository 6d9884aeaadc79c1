import { O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';
import type { Overlay } from '../zygote/protocol.ts';

/**
 * Mounts the layers and the container's own upper folder over them, and makes that the working directory.
 *
 * @returns the new root, open
 */
export function mountOverlay(sys: Sys, rootfs: Overlay): number {
  sys.chdir(rootfs.layersFolder);
  sys.mount('overlay', rootfs.root, 'overlay', 0, overlayOptions(rootfs));
  sys.chdir(rootfs.root);
  return sys.open('.', O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/** Options of Documentation/filesystems/overlayfs.rst. The kernel reads one page; it would cut off what is longer. */
export function overlayOptions({ layers, upper, work }: Omit<Overlay, 'root' | 'layersFolder'>): string {
  const options = `lowerdir=${layers.map(escape).join(':')},upperdir=${escape(upper)},workdir=${escape(work)}`;
  if (Buffer.byteLength(options) >= PAGE_SIZE)
    throw new SystemError('mount', `overlay of ${layers.length} layers`, ENAMETOOLONG);
  return options;
}

/** `:` ends a layer and `,` an option, unless a backslash precedes it. */
const escape = (path: string) => path.replace(/[\\:,]/g, '\\$&');

const PAGE_SIZE = 4096;
const ENAMETOOLONG = 36;
