import { openInRoot } from '../rootfs/in-root.ts';
import {
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  S_IFCHR,
  S_IFMT,
  S_IFREG,
  TIOCGPTPEER,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';
import type { Terminal } from './protocol.ts';
import type { StdioDescriptors } from './stdio.ts';

/**
 * Makes a pseudo terminal on the container's own devpts, sends one end through the socket `console` and has the other end for
 * all three streams: pty(7). No name that an image could have made a link is used for the terminal itself (CVE-2025-52565).
 *
 * @param root the container's root, open
 */
export function openTerminal(
  sys: Sys,
  root: number,
  size: Terminal,
  user: { uid: number; gid: number },
  console: number,
): StdioDescriptors {
  const { master, terminal } = openPair(sys, root);
  setSize(sys, terminal, size);
  // Its group is tty's: devpts is mounted so.
  if (user.uid !== 0) sys.fchown(terminal, user.uid, -1 >>> 0);
  sys.sendDescriptor(console, master);
  sys.close(master);
  sys.close(console);
  return [terminal, terminal, terminal];
}

/** As /dev/console: what programs write to when they have no terminal of their own. */
export function mountConsole(sys: Sys, root: number, terminal: number): void {
  const folder = openInRoot(sys, root, 'dev');
  sys.mknod(`/proc/self/fd/${folder}/console`, S_IFREG | 0o600, 0);
  sys.close(folder);
  const target = openInRoot(sys, root, 'dev/console');
  const copy = sys.cloneMount(terminal);
  sys.attachMount(copy, target);
  sys.close(copy);
  sys.close(target);
}

export function setSize(sys: Sys, fd: number, { rows, columns }: Terminal): void {
  SIZE.writeUInt16LE(rows, 0);
  SIZE.writeUInt16LE(columns, 2);
  sys.ioctl(fd, TIOCSWINSZ, SIZE);
}

/** The terminal is taken from its other end, not by a name: TIOCGPTPEER of ioctl_tty(2). */
function openPair(sys: Sys, root: number): { master: number; terminal: number } {
  const master = openInRoot(sys, root, 'dev/pts/ptmx', O_RDWR | O_NOCTTY);
  const { mode, device } = sys.fstat(master);
  if ((mode & S_IFMT) !== S_IFCHR || device !== PTMX || sys.fileSystem(master) !== DEVPTS_SUPER_MAGIC)
    throw new SystemError('verify', '/dev/pts/ptmx', ENODEV);
  sys.ioctl(master, TIOCSPTLCK, UNLOCKED);
  return { master, terminal: sys.ioctlNumber(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC) };
}

/** struct winsize {u16 ws_row, ws_col, ws_xpixel, ws_ypixel} */
const SIZE = Buffer.alloc(8);
const UNLOCKED = Buffer.alloc(4);
/** Major 5, minor 2: Documentation/admin-guide/devices.txt. */
const PTMX = 0x502;
/** include/uapi/linux/magic.h */
const DEVPTS_SUPER_MAGIC = 0x1cd1;
const ENODEV = 19;
