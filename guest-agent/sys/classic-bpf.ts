/** An instruction of a classic BPF program, struct sock_filter {u16 code; u8 jt, jf; u32 k}: seccomp(2), socket(7). */
export function instruction(code: number, ifTrue: number, ifFalse: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

// include/uapi/linux/bpf_common.h
/** A word, at an absolute place. */
export const LOAD = 0x20;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER = 0x25;
export const JUMP_GREATER_OR_EQUAL = 0x35;
export const RETURN = 0x06;
