import { check } from './check.ts';
import { addressOf, type Libc, SYS } from './ffi.ts';
import { structure } from './structure.ts';

/** Programs that the kernel runs: bpf(2), seccomp(2). */
export const bpf = (libc: Libc) => ({
  /**
   * Puts the calling thread, and what it becomes, under a system call filter for good.
   *
   * @param program struct sock_filter[]
   * @param flags SECCOMP_FILTER_FLAG_*
   */
  installSeccomp(program: Buffer, flags: number): void {
    FPROG.writeUInt16LE(program.length / 8, 0);
    FPROG.writeBigUInt64LE(addressOf(program), 8);
    check(libc.seccomp(SYS.seccomp, SECCOMP_SET_MODE_FILTER, flags, FPROG), 'seccomp', 'filter');
  },

  /** Loads an eBPF program that decides about devices. @param instructions struct bpf_insn[] @returns its descriptor */
  loadDeviceProgram(instructions: Buffer): number {
    const attributes = structure(48);
    attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
    attributes.writeUInt32LE(instructions.length / 8, 4);
    attributes.writeBigUInt64LE(addressOf(instructions), 8);
    attributes.writeBigUInt64LE(addressOf(LICENSE), 16);
    return check(libc.bpf(SYS.bpf, BPF_PROG_LOAD, attributes, attributes.length), 'bpf', 'load device filter');
  },

  /** @param cgroup its folder, open; @param flags BPF_F_* */
  attachDeviceProgram(cgroup: number, program: number, flags: number): void {
    const attributes = structure(20);
    attributes.writeUInt32LE(cgroup, 0);
    attributes.writeUInt32LE(program, 4);
    attributes.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
    attributes.writeUInt32LE(flags, 12);
    check(libc.bpf(SYS.bpf, BPF_PROG_ATTACH, attributes, attributes.length), 'bpf', 'attach device filter');
  },
});

/** struct sock_fprog {u16 len; struct sock_filter *filter} */
const FPROG = structure(16);
// include/uapi/linux/seccomp.h and bpf.h
const SECCOMP_SET_MODE_FILTER = 1;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** The program uses nothing that asks for another. */
const LICENSE = Buffer.from('Apache-2.0\0');
