import koffi from 'koffi';

/**
 * The C library's functions, as glibc 2.36 declares them. koffi trusts these signatures: a wrong one corrupts memory, so
 * each is checked against its manual page. Three liberties, all safe in the x86-64 calling convention: variadic functions
 * (open, fcntl, ioctl, prctl, syscall) are declared with the fixed arguments used here; pid_t, uid_t, mode_t and the like
 * are 32 bits; pointers to structures are `void *`, which takes a Buffer.
 */
const library = koffi.load('libc.so.6');

/** Error number of the calling thread's last failed call. Read it before anything else is called. */
export const lastErrno = (): number => koffi.errno();

/** Address of a Buffer's first byte, for structures that hold pointers. Valid while the Buffer is referenced. */
export const addressOf = (buffer: Buffer): bigint => koffi.address(buffer);

// The types below are this file's promise: koffi checks a call by the parameters' C types.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
const declare = <Arguments extends unknown[], Result = number>(
  name: string,
  result: string,
  ...parameters: string[]
): ((...values: Arguments) => Result) => library.func(name, result, parameters);

/** The memory at `address` as a Buffer, whose use after the memory has gone ends the process. */
export const memoryAt = (address: bigint, length: number): Buffer => Buffer.from(koffi.view(address, length));

/** arch/x86/entry/syscalls/syscall_64.tbl */
export const SYS = {
  setuid: 105,
  setgid: 106,
  setgroups: 116,
  pivot_root: 155,
  ioprio_set: 251,
  sched_setattr: 314,
  seccomp: 317,
  bpf: 321,
  pidfd_open: 434,
  clone3: 435,
  openat2: 437,
  pidfd_getfd: 438,
  quotactl_fd: 443,
} as const;

type Text = string | null;

export const libc = {
  open: declare<[string, number, number]>('open', 'int', 'str', 'int', 'uint'),
  close: declare<[number]>('close', 'int', 'int'),
  close_range: declare<[number, number, number]>('close_range', 'int', 'uint', 'uint', 'int'),
  read: declare<[number, Uint8Array, number]>('read', 'long', 'int', 'void *', 'size_t'),
  write: declare<[number, Uint8Array, number]>('write', 'long', 'int', 'void *', 'size_t'),
  pipe2: declare<[Buffer, number]>('pipe2', 'int', 'void *', 'int'),
  dup2: declare<[number, number]>('dup2', 'int', 'int', 'int'),
  dup3: declare<[number, number, number]>('dup3', 'int', 'int', 'int', 'int'),
  fcntl: declare<[number, number, number]>('fcntl', 'int', 'int', 'int', 'long'),
  ioctl: declare<[number, number, Buffer]>('ioctl', 'int', 'int', 'ulong', 'void *'),
  ioctl_number: declare<[number, number, number]>('ioctl', 'int', 'int', 'ulong', 'long'),
  mkdir: declare<[string, number]>('mkdir', 'int', 'str', 'uint'),
  mknod: declare<[Buffer, number, number]>('mknod', 'int', 'void *', 'uint', 'ulong'),
  symlink: declare<[string, string]>('symlink', 'int', 'str', 'str'),
  unlink: declare<[string]>('unlink', 'int', 'str'),
  memfd_create: declare<[string, number]>('memfd_create', 'int', 'str', 'uint'),
  access: declare<[string, number]>('access', 'int', 'str', 'int'),
  chroot: declare<[string]>('chroot', 'int', 'str'),
  chdir: declare<[string]>('chdir', 'int', 'str'),
  getcwd: declare<[Buffer, number], bigint | null>('getcwd', 'void *', 'void *', 'size_t'),
  fstat: declare<[number, Buffer]>('fstat', 'int', 'int', 'void *'),
  chown: declare<[string, number, number]>('chown', 'int', 'str', 'uint', 'uint'),
  fstatfs: declare<[number, Buffer]>('fstatfs', 'int', 'int', 'void *'),
  fchown: declare<[number, number, number]>('fchown', 'int', 'int', 'uint', 'uint'),
  umask: declare<[number]>('umask', 'uint', 'uint'),
  llistxattr: declare<[Buffer, Buffer, number]>('llistxattr', 'long', 'void *', 'void *', 'size_t'),
  lgetxattr: declare<[Buffer, string, Buffer, number]>('lgetxattr', 'long', 'void *', 'str', 'void *', 'size_t'),
  setxattr: declare<[string, string, Buffer, number, number]>(
    'setxattr',
    'int',
    'str',
    'str',
    'void *',
    'size_t',
    'int',
  ),
  mount: declare<[Text, string, Text, number, Text]>('mount', 'int', 'str', 'str', 'str', 'ulong', 'str'),
  umount2: declare<[string, number]>('umount2', 'int', 'str', 'int'),
  open_tree: declare<[number, string, number]>('open_tree', 'int', 'int', 'str', 'uint'),
  move_mount: declare<[number, string, number, string, number]>(
    'move_mount',
    'int',
    'int',
    'str',
    'int',
    'str',
    'uint',
  ),
  mount_setattr: declare<[number, string, number, Buffer, number]>(
    'mount_setattr',
    'int',
    'int',
    'str',
    'uint',
    'void *',
    'size_t',
  ),
  unshare: declare<[number]>('unshare', 'int', 'int'),
  setns: declare<[number, number]>('setns', 'int', 'int', 'int'),
  clock_settime: declare<[number, Buffer]>('clock_settime', 'int', 'int', 'void *'),
  sethostname: declare<[string, number]>('sethostname', 'int', 'str', 'size_t'),
  setdomainname: declare<[string, number]>('setdomainname', 'int', 'str', 'size_t'),
  personality: declare<[number]>('personality', 'int', 'ulong'),
  mmap: declare<[null, number, number, number, number, number], bigint>(
    'mmap',
    'void *',
    'void *',
    'size_t',
    'int',
    'int',
    'int',
    'long',
  ),
  munmap: declare<[bigint, number]>('munmap', 'int', 'void *', 'size_t'),
  madvise: declare<[number, number, number]>('madvise', 'int', 'uintptr_t', 'size_t', 'int'),
  waitpid: declare<[number, Buffer, number]>('waitpid', 'int', 'int', 'void *', 'int'),
  pidfd_send_signal: declare<[number, number, null, number]>(
    'pidfd_send_signal',
    'int',
    'int',
    'int',
    'void *',
    'uint',
  ),
  execve: declare<[string, (string | null)[], (string | null)[]]>('execve', 'int', 'str', 'str *', 'str *'),
  _exit: declare<[number], never>('_exit', 'void', 'int'),
  setsid: declare<[]>('setsid', 'int'),
  signal: declare<[number, number], bigint | null>('signal', 'void *', 'int', 'intptr_t'),
  sigprocmask: declare<[number, Buffer, null]>('sigprocmask', 'int', 'int', 'void *', 'void *'),
  prctl: declare<[number, number, number, number, number]>('prctl', 'int', 'int', 'ulong', 'ulong', 'ulong', 'ulong'),
  prlimit: declare<[number, number, Buffer, null]>('prlimit', 'int', 'int', 'int', 'void *', 'void *'),
  capset: declare<[Buffer, Buffer]>('capset', 'int', 'void *', 'void *'),
  socket: declare<[number, number, number]>('socket', 'int', 'int', 'int', 'int'),
  bind: declare<[number, Buffer, number]>('bind', 'int', 'int', 'void *', 'uint'),
  setsockopt: declare<[number, number, number, Buffer, number]>(
    'setsockopt',
    'int',
    'int',
    'int',
    'int',
    'void *',
    'uint',
  ),
  connect: declare<[number, Buffer, number]>('connect', 'int', 'int', 'void *', 'uint'),
  socketpair: declare<[number, number, number, Buffer]>('socketpair', 'int', 'int', 'int', 'int', 'void *'),
  sendmsg: declare<[number, Buffer, number]>('sendmsg', 'long', 'int', 'void *', 'int'),
  recvmsg: declare<[number, Buffer, number]>('recvmsg', 'long', 'int', 'void *', 'int'),
  listen: declare<[number, number]>('listen', 'int', 'int', 'int'),
  accept4: declare<[number, null, null, number]>('accept4', 'int', 'int', 'void *', 'void *', 'int'),
  poll: declare<[Buffer, number, number]>('poll', 'int', 'void *', 'ulong', 'int'),
  epoll_create1: declare<[number]>('epoll_create1', 'int', 'int'),
  epoll_ctl: declare<[number, number, number, Buffer]>('epoll_ctl', 'int', 'int', 'int', 'int', 'void *'),
  epoll_wait: declare<[number, Buffer, number, number]>('epoll_wait', 'int', 'int', 'void *', 'int', 'int'),

  /**
   * Calls by number. glibc 2.36 has no function for most of them. It has for setuid and its like, but those signal every thread
   * that it knows of, and after clone3 it still knows the parent's: syscall(2).
   */
  pivot_root: declare<[typeof SYS.pivot_root, string, string]>('syscall', 'long', 'long', 'str', 'str'),
  clone3: declare<[typeof SYS.clone3, Buffer, number]>('syscall', 'long', 'long', 'void *', 'size_t'),
  openat2: declare<[typeof SYS.openat2, number, Buffer, Buffer, number]>(
    'syscall',
    'long',
    'long',
    'int',
    'void *',
    'void *',
    'size_t',
  ),
  ioprio_set: declare<[typeof SYS.ioprio_set, number, number, number]>('syscall', 'long', 'long', 'int', 'int', 'int'),
  sched_setattr: declare<[typeof SYS.sched_setattr, number, Buffer, number]>(
    'syscall',
    'long',
    'long',
    'int',
    'void *',
    'uint',
  ),
  seccomp: declare<[typeof SYS.seccomp, number, number, Buffer]>('syscall', 'long', 'long', 'uint', 'uint', 'void *'),
  bpf: declare<[typeof SYS.bpf, number, Buffer, number]>('syscall', 'long', 'long', 'int', 'void *', 'uint'),
  pidfd_open: declare<[typeof SYS.pidfd_open, number, number]>('syscall', 'long', 'long', 'int', 'uint'),
  pidfd_getfd: declare<[typeof SYS.pidfd_getfd, number, number, number]>(
    'syscall',
    'long',
    'long',
    'int',
    'int',
    'uint',
  ),
  quotactl_fd: declare<[typeof SYS.quotactl_fd, number, number, number, Buffer]>(
    'syscall',
    'long',
    'long',
    'uint',
    'uint',
    'uint',
    'void *',
  ),
  setuid: declare<[typeof SYS.setuid, number]>('syscall', 'long', 'long', 'uint'),
  setgid: declare<[typeof SYS.setgid, number]>('syscall', 'long', 'long', 'uint'),
  setgroups: declare<[typeof SYS.setgroups, number, Uint32Array]>('syscall', 'long', 'long', 'size_t', 'void *'),
};

/** What the functions of this folder are made of, so that they can also be made of functions without effect. */
export type Libc = typeof libc;
