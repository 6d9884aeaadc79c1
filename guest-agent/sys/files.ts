import { check, checkTransfer } from './check.ts';
import { lastErrno, type Libc, SYS } from './ffi.ts';
import { readU64, structure, writeU64 } from './structure.ts';
import { SystemError } from './system-error.ts';

/** File descriptors and names: each function is the system call of its name, see section 2 of the manual. */
export const files = (libc: Libc) => ({
  open: (path: string, flags: number, mode = 0) => check(libc.open(path, flags, mode), 'open', path),

  /**
   * Opens `path` seen from the folder `folder`; `resolve` bounds where its links may lead: openat2(2).
   *
   * @param path text, or bytes where a name need not be UTF-8
   */
  openat2(folder: number, path: string | Buffer, flags: number, resolve: number): number {
    writeU64(OPEN_HOW, flags, 0);
    writeU64(OPEN_HOW, resolve, 16);
    return check(
      libc.openat2(SYS.openat2, folder, terminated(path), OPEN_HOW, OPEN_HOW.length),
      'open',
      path.toString(),
    );
  },

  close: (fd: number) => check(libc.close(fd), 'close', fd),
  closeRange: (first: number, last: number) => check(libc.close_range(first, last, 0), 'close_range', first),

  /** Number of bytes read, 0 at the end, null when it would block. */
  read: (fd: number, buffer: Uint8Array) => checkTransfer(() => libc.read(fd, buffer, buffer.length), 'read', fd),
  /** Number of bytes written, null when it would block. */
  write: (fd: number, bytes: Uint8Array) => checkTransfer(() => libc.write(fd, bytes, bytes.length), 'write', fd),

  pipe2(flags: number): [readEnd: number, writeEnd: number] {
    check(libc.pipe2(PIPE, flags), 'pipe', '');
    return [PIPE.readInt32LE(0), PIPE.readInt32LE(4)];
  },

  /** The copy is not close-on-exec. */
  dup2: (fd: number, copy: number) => check(libc.dup2(fd, copy), 'dup2', fd),
  dup3: (fd: number, copy: number, flags: number) => check(libc.dup3(fd, copy, flags), 'dup3', fd),
  fcntl: (fd: number, command: number, argument: number) => check(libc.fcntl(fd, command, argument), 'fcntl', fd),
  ioctl: (fd: number, request: number, argument: Buffer) => check(libc.ioctl(fd, request, argument), 'ioctl', fd),
  /** For requests that take a number in place of an address. */
  ioctlNumber: (fd: number, request: number, argument: number) =>
    check(libc.ioctl_number(fd, request, argument), 'ioctl', fd),

  /** Type and permission bits, and the number of the device that the file is: makedev(3). */
  fstat(fd: number): { mode: number; device: number } {
    check(libc.fstat(fd, STAT), 'fstat', fd);
    return { mode: STAT.readUInt32LE(24), device: readU64(STAT, 40) };
  },

  mkdir: (path: string, mode: number) => check(libc.mkdir(path, mode), 'mkdir', path),
  /**
   * @param path text, or bytes where a name need not be UTF-8
   * @param device as makedev(3) packs it: major × 256 + minor, for numbers below 256
   */
  mknod: (path: string | Buffer, mode: number, device: number) =>
    check(libc.mknod(terminated(path), mode, device), 'mknod', path.toString()),
  symlink: (target: string, path: string) => check(libc.symlink(target, path), 'symlink', path),
  unlink: (path: string) => check(libc.unlink(path), 'unlink', path),
  fchown: (fd: number, uid: number, gid: number) => check(libc.fchown(fd, uid, gid), 'fchown', fd),
  chown: (path: string, uid: number, gid: number) => check(libc.chown(path, uid, gid), 'chown', path),
  /** Magic number of the file system that the file is on: statfs(2), include/uapi/linux/magic.h. */
  fileSystem(fd: number): number {
    check(libc.fstatfs(fd, STATFS), 'fstatfs', fd);
    return readU64(STATFS, 0);
  },
  umask: (mask: number) => libc.umask(mask),
  /** Says what execve would, which is what it is asked for. */
  access: (path: string, mode: number) => check(libc.access(path, mode), 'execve', path),
  chroot: (path: string) => check(libc.chroot(path), 'chroot', path),
  chdir: (path: string) => check(libc.chdir(path), 'chdir', path),

  /** Asks the kernel: Node remembers its own answer. ENOENT when the folder cannot be reached from the root. */
  getcwd(): string {
    if (libc.getcwd(PATH, PATH.length) === null) throw new SystemError('getcwd', '.', lastErrno());
    return PATH.toString('utf8', 0, PATH.indexOf(0));
  },
});

/** struct open_how {u64 flags, mode, resolve} */
const OPEN_HOW = structure(24);
/** struct statfs {long f_type; …} */
const STATFS = structure(120);
/** struct stat {…; at 24: u32 st_mode; at 40: u64 st_rdev; …} */
const STAT = structure(144);
const terminated = (path: string | Buffer) => Buffer.concat([Buffer.from(path), NUL]);
const NUL = Buffer.of(0);
const PIPE = structure(8);
const PATH = structure(4096);
