import { check } from './check.ts';
import { compareWith, encode, give, JUMP_EQUAL, load } from './classic-bpf.ts';
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

  /**
   * The socket takes no datagram that comes from one of these addresses, and all others: socket(7), SO_ATTACH_FILTER. What it
   * does not take needs no room in its queue.
   *
   * @param addresses IPv4, four bytes each
   */
  ignoreSenders(socket: number, addresses: Buffer[]): void {
    const program = encode([
      load(SENDER),
      ...addresses.flatMap((address) => [compareWith(JUMP_EQUAL, address.readUInt32BE(), 0, 1), give(0)]),
      give(ALL_BYTES),
    ]);
    FPROG.writeUInt16LE(program.length / 8, 0);
    FPROG.writeBigUInt64LE(addressOf(program), 8);
    check(libc.setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, FPROG, FPROG.length), 'filter socket', socket);
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
/** Of struct iphdr, saddr: SKF_NET_OFF of include/uapi/linux/filter.h is where the packet's IP header begins. */
const SENDER = -0x100000 + 12 + 2 ** 32;
const ALL_BYTES = 2 ** 32 - 1;
// include/uapi/asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
// include/uapi/linux/seccomp.h and bpf.h
const SECCOMP_SET_MODE_FILTER = 1;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** The program uses nothing that asks for another. */
const LICENSE = Buffer.from('Apache-2.0\0');
