import { check } from './check.ts';
import type { Libc } from './ffi.ts';
import { unless } from './system-error.ts';

/** Extended attributes of a file itself, links not followed: llistxattr(2), lgetxattr(2). Paths are bytes. */
export const xattrs = (libc: Libc) => ({
  /** Names; none where the file system has no attributes. */
  listXattrs(path: Buffer): string[] {
    const name = terminated(path);
    const length = unless(['ENOTSUP'], () =>
      check(libc.llistxattr(name, VALUE, VALUE.length), 'llistxattr', path.toString()),
    );
    const names = VALUE.toString('latin1', 0, length ?? 0).split('\0');
    return names.slice(0, -1);
  },

  /** Undefined when it is gone meanwhile. */
  getXattr(path: Buffer, attribute: string): Buffer | undefined {
    const length = unless(['ENODATA'], () =>
      check(libc.lgetxattr(terminated(path), attribute, VALUE, VALUE.length), 'lgetxattr', path.toString()),
    );
    return length === undefined ? undefined : Buffer.from(VALUE.subarray(0, length));
  },

  /** Links are followed, so that `/proc/self/fd/N` is the open file. */
  setXattr: (path: string, attribute: string, value: Buffer) =>
    check(libc.setxattr(path, attribute, value, value.length, 0), 'setxattr', `${attribute} of ${path}`),
});

const terminated = (path: Buffer) => Buffer.concat([path, Buffer.of(0)]);

/** XATTR_LIST_MAX and XATTR_SIZE_MAX, include/uapi/linux/limits.h */
const VALUE = Buffer.alloc(65536);
