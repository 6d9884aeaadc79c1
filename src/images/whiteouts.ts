import { MalformedTar, printable, type TarEntry, tarEntry } from '../../guest-agent/tar/entry.ts';

/**
 * How a layer says that something of the layers below is gone: OCI image-spec layer.md, section "Whiteouts", on the
 * archive's side; the kernel's Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories", on the
 * disk's side.
 */
export type Whiteout =
  /** The directory hides all that the layers below have in it. */
  | { kind: 'opaque' }
  /** This name of the layers below is gone. */
  | { kind: 'name'; name: string }
  /** Bookkeeping of AUFS (`.wh..wh.plnk`, `.wh..wh.aufs`) that means nothing elsewhere. */
  | { kind: 'ignored' };

/** What a file name means as a whiteout; undefined for an ordinary name. */
export function whiteoutOf(fileName: string): Whiteout | undefined {
  if (!fileName.startsWith(PREFIX)) return undefined;
  const name = fileName.slice(PREFIX.length);
  if (name === `${PREFIX}.opq`) return { kind: 'opaque' };
  if (name.startsWith(PREFIX)) return { kind: 'ignored' };
  if (name === '' || name === '.' || name === '..') throw new MalformedTar(`whiteout \`${printable(fileName)}\``);
  return { kind: 'name', name };
}

/** The character device 0/0 by which overlayfs knows that `path` is gone. */
export function whiteoutDevice(path: string): TarEntry {
  return tarEntry({ name: path, type: 'character-device', mode: 0 });
}

/**
 * The attributes that go to disk. Overlayfs's own (`trusted.overlay.*`, and `user.overlay.*` for mounts with userxattr)
 * never come from an image: with `redirect` or `metacopy` it could show one file's data under another's name. POSIX
 * ACLs (`system.*`) have no place in squashfs.
 */
export function diskXattrs(xattrs: Map<string, Buffer>, opaque: boolean): Map<string, Buffer> {
  const kept = new Map(
    [...xattrs].filter(([key]) => KEPT.some((p) => key.startsWith(p)) && !OVERLAY.some((p) => key.startsWith(p))),
  );
  if (opaque) kept.set('trusted.overlay.opaque', Buffer.from('y'));
  return kept;
}

const PREFIX = '.wh.';
const KEPT = ['user.', 'trusted.', 'security.'];
const OVERLAY = ['trusted.overlay.', 'user.overlay.'];
