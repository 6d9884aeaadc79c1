/**
 * One file of a tar archive (pax(1), POSIX.1-2017; GNU and v7 headers are read too).
 *
 * Names and link names are byte strings: one character per byte (latin1), since file names on Linux are bytes and an
 * archive may hold names that are not UTF-8. Extended attributes are bytes for the same reason.
 */
export interface TarEntry {
  name: string;
  type: TarType;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970, whole. */
  mtime: number;
  /** Bytes of the body; 0 for everything but files. */
  size: number;
  /** Target of a hard link or a symbolic link, else empty. */
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
  xattrs: Map<string, Buffer>;
}

export type TarType = 'file' | 'hard-link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

/** A file of root's, from 1970, without content and attributes; `entry` says what is different. */
export function tarEntry(entry: Pick<TarEntry, 'name' | 'type' | 'mode'> & Partial<TarEntry>): TarEntry {
  return {
    uid: 0,
    gid: 0,
    mtime: 0,
    size: 0,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...entry,
  };
}

/** Data that is no valid tar, or one that nest refuses. Whoever knows where the data came from names that. */
export class MalformedTar extends Error {
  override readonly name = 'MalformedTar';
}

/** A name as bytes, for a message: decoded, bounded, without control characters. */
export function printable(name: string): string {
  const text = Buffer.from(name.slice(0, 200), 'latin1').toString('utf8');
  // eslint-disable-next-line no-control-regex -- control characters are what must not reach a terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?') + (name.length > 200 ? '…' : '');
}

export const BLOCK = 512;

/** Zero bytes that fill the last block of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
