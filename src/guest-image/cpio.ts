/** One member of an archive; folders come before what is in them. */
export interface CpioEntry {
  path: string;
  /** File type and permission bits: inode(7). */
  mode: number;
  content: Buffer;
}

/**
 * An initramfs archive in "newc" format. The same entries always give the same bytes: owner root, time zero, inode
 * numbers by position.
 *
 * @see https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
 */
export function cpio(entries: CpioEntry[]): Buffer {
  const trailer: CpioEntry = { path: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) };
  return padded(Buffer.concat([...entries, trailer].flatMap(member)), BLOCK);
}

function member(entry: CpioEntry, index: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const links = isFolder(entry) ? 2 : 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [index + 1, entry.mode, 0, 0, links, 0, entry.content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name]), 4), padded(entry.content, 4)];
}

function isFolder({ mode }: CpioEntry): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

function padded(content: Buffer, multiple: number): Buffer {
  return Buffer.concat([content, Buffer.alloc((multiple - (content.length % multiple)) % multiple)]);
}

const BLOCK = 512;
const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
