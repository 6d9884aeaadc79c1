import type { Stats } from 'node:fs';

/**
 * How overlayfs says that something of the layers below is gone: Documentation/filesystems/overlayfs.rst, "whiteouts and
 * opaque directories".
 */
export const isWhiteout = (stats: Stats): boolean => stats.isCharacterDevice() && stats.rdev === 0;

/** The folder hides all that the layers below have in it. */
export const isOpaque = (xattrs: Map<string, Buffer>): boolean =>
  xattrs.get('trusted.overlay.opaque')?.toString() === 'y';

/** Overlayfs's own attributes are no part of the container's files. */
export const isOverlayXattr = (name: string): boolean => /^(trusted|user)\.overlay\./.test(name);
