import type { SeccompProfile } from './profile.ts';

/**
 * What containers may ask of the kernel by default: the policy of Docker's default profile. All else gives EPERM, and so
 * does, without the capability it belongs to, what changes the guest as a whole. Calls that make namespaces are refused
 * without CAP_SYS_ADMIN, as a user namespace opens much of the kernel to attack (CVE-2022-0185); clone3, whose flags a
 * filter cannot see, is said not to exist, so that C libraries take clone. There is no AF_VSOCK socket, which would reach
 * past the network namespace, and no io_uring.
 */
export const DEFAULT_PROFILE: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }],
  syscalls: [
    allow(
      // Files
      'access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2',
      'fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl',
      'fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64',
      'fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init',
      'inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr link linkat listxattr llistxattr _llseek',
      'lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat',
      'openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr',
      'rename renameat renameat2 rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink',
      'symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat',
      'utimensat_time64 utimes vmsplice write writev',
      // Waiting, and asynchronous input and output
      'epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd',
      'eventfd2 io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect pipe',
      'pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select',
      // Memory
      'brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap',
      'mmap2 mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease',
      'remap_file_pages',
      // Processes, their identity, limits and scheduling
      'arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid',
      'getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority',
      'getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32 ioprio_get',
      'ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pidfd_open',
      'pidfd_send_signal prctl prlimit64 process_vm_readv process_vm_writev ptrace rseq sched_get_priority_max',
      'sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval',
      'sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp',
      'set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups',
      'setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid',
      'setreuid32 setrlimit setsid setuid setuid32 sysinfo ugetrlimit uname vfork wait4 waitid waitpid',
      // Signals
      'kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend',
      'rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn',
      'tgkill tkill',
      // Time
      'adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64',
      'clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete',
      'timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime',
      'timerfd_gettime64 timerfd_settime timerfd_settime64 times',
      // Sockets, except socket itself. libseccomp derives from these what 32-bit programs may ask of socketcall.
      'accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64',
      'recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair',
      // Between processes
      'futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc mq_getsetattr mq_notify mq_open',
      'mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd',
      'semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget',
      'getrandom',
    ),
    { ...allow('socket'), args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] }, // AF_VSOCK
    // PER_LINUX, PER_LINUX32, both with UNAME26, and the question for the present one
    ...[0, 8, 0x20000, 0x20008, 0xffffffff].map((value) => ({
      ...allow('personality'),
      args: [{ index: 0, value, op: 'SCMP_CMP_EQ' as const }],
    })),
    {
      ...allow('clone'),
      args: [{ index: 0, value: 0x7e020000, op: 'SCMP_CMP_MASKED_EQ' }],
      excludes: only('SYS_ADMIN'),
    },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, excludes: only('SYS_ADMIN') },
    allowWith(
      'SYS_ADMIN',
      'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount',
      'open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare',
    ),
    allowWith('DAC_READ_SEARCH', 'open_by_handle_at'),
    allowWith('SYS_BOOT', 'reboot'),
    allowWith('SYS_CHROOT', 'chroot'),
    allowWith('SYS_MODULE', 'delete_module finit_module init_module'),
    allowWith('SYS_PACCT', 'acct'),
    allowWith('SYS_PTRACE', 'kcmp pidfd_getfd process_madvise'),
    allowWith('SYS_RAWIO', 'ioperm iopl'),
    allowWith('SYS_TIME', 'clock_settime clock_settime64 settimeofday stime'),
    allowWith('SYS_TTY_CONFIG', 'vhangup'),
    allowWith('SYS_NICE', 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
    allowWith('SYSLOG', 'syslog'),
    allowWith('BPF', 'bpf'),
    allowWith('PERFMON', 'perf_event_open'),
  ],
};

function allow(...words: string[]): { names: string[]; action: 'SCMP_ACT_ALLOW' } {
  return { names: words.flatMap((names) => names.split(' ')), action: 'SCMP_ACT_ALLOW' };
}

function allowWith(capability: string, ...words: string[]) {
  return { ...allow(...words), includes: only(capability) };
}

function only(capability: string): { caps: string[] } {
  return { caps: [`CAP_${capability}`] };
}
