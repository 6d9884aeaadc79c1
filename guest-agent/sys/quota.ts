import { check } from './check.ts';
import { type Libc, SYS } from './ffi.ts';
import { readU64, structure, writeU64 } from './structure.ts';

/** Projects of a file system, which files belong to and quotas are kept for: quotactl(2), ioctl_xfs_fsgetxattr(2). */
export const quota = (libc: Libc) => ({
  /** @param inherited what is made in the folder from now on belongs to it, too */
  setProject(fd: number, project: number, inherited: boolean): void {
    check(libc.ioctl(fd, FS_IOC_FSGETXATTR, FSXATTR), 'get project', fd);
    FSXATTR.writeUInt32LE((FSXATTR.readUInt32LE(0) | (inherited ? FS_XFLAG_PROJINHERIT : 0)) >>> 0, 0);
    FSXATTR.writeUInt32LE(project, PROJECT);
    check(libc.ioctl(fd, FS_IOC_FSSETXATTR, FSXATTR), 'set project', fd);
  },

  /** @param bytes that its files may take on the file system of `fd`, rounded up to whole KiB */
  limitProject(fd: number, project: number, bytes: number): void {
    DQBLK.fill(0);
    writeU64(DQBLK, Math.ceil(bytes / 1024), 0);
    writeU64(DQBLK, Math.ceil(bytes / 1024), 8);
    DQBLK.writeUInt32LE(QIF_BLIMITS, VALID);
    check(libc.quotactl_fd(SYS.quotactl_fd, fd, Q_SETQUOTA, project, DQBLK), 'set quota', project);
  },

  /** Bytes that its files take. */
  projectUsage(fd: number, project: number): number {
    check(libc.quotactl_fd(SYS.quotactl_fd, fd, Q_GETQUOTA, project, DQBLK), 'get quota', project);
    return readU64(DQBLK, 16);
  },
});

/** struct fsxattr {u32 xflags, extsize, nextents, projid, cowextsize; char pad[8]}, include/uapi/linux/fs.h */
const FSXATTR = structure(28);
const PROJECT = 12;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;

/**
 * struct if_dqblk {u64 bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime; u32 valid},
 * limits in KiB, include/uapi/linux/quota.h
 */
const DQBLK = structure(72);
const VALID = 64;
const QIF_BLIMITS = 1;
/** QCMD(cmd, type) with PRJQUOTA. */
const Q_SETQUOTA = 0x80000802;
const Q_GETQUOTA = 0x80000702;
