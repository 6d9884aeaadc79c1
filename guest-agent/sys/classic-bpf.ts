/** Classic BPF, as filters of sockets and of system calls are written: Documentation/networking/filter.rst, seccomp(2). */
export interface Instruction {
  code: number;
  /** How many instructions to skip when a comparison holds, and when it does not. */
  yes: number;
  no: number;
  value: number;
}

export const LOAD = 0x20;
export const AND = 0x54;
export const JUMP = 0x05;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER = 0x25;
export const JUMP_GREATER_OR_EQUAL = 0x35;
export const JUMP_ANY_BIT = 0x45;
export const RETURN = 0x06;

/** All that libseccomp uses. */
export const CODES: ReadonlySet<number> = new Set([
  ...[LOAD, AND, JUMP, RETURN],
  ...[JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT],
]);

/** Offsets in struct seccomp_data {u32 nr, arch; u64 ip, args[6]}. */
export const NUMBER = 0;
export const ARCHITECTURE = 4;

/** A comparison skips at most so many instructions; a jump skips any number. */
export const FARTHEST = 255;

/** Takes a word at an absolute place for the next comparisons. */
export const load = (place: number): Instruction => ({ code: LOAD, yes: 0, no: 0, value: place });
export const compareWith = (code: number, value: number, yes: number, no: number): Instruction => ({
  code,
  yes,
  no,
  value,
});
/** Ends the program. */
export const give = (value: number): Instruction => ({ code: RETURN, yes: 0, no: 0, value });

/** @param bytes struct sock_filter {u16 code; u8 jt, jf; u32 k}[] */
export function decode(bytes: Buffer): Instruction[] {
  return Array.from({ length: bytes.length / SIZE }, (_, index) => ({
    code: bytes.readUInt16LE(index * SIZE),
    yes: bytes.readUInt8(index * SIZE + 2),
    no: bytes.readUInt8(index * SIZE + 3),
    value: bytes.readUInt32LE(index * SIZE + 4),
  }));
}

export function encode(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * SIZE);
  for (const [index, { code, yes, no, value }] of program.entries()) {
    bytes.writeUInt16LE(code, index * SIZE);
    bytes.writeUInt8(yes, index * SIZE + 2);
    bytes.writeUInt8(no, index * SIZE + 3);
    bytes.writeUInt32LE(value, index * SIZE + 4);
  }
  return bytes;
}

/** What a comparison says of the accumulator; undefined when the instruction is none. */
export function compare({ code, value }: Instruction, accumulator: number): boolean | undefined {
  switch (code) {
    case JUMP_EQUAL:
      return accumulator === value;
    case JUMP_GREATER:
      return accumulator > value;
    case JUMP_GREATER_OR_EQUAL:
      return accumulator >= value;
    case JUMP_ANY_BIT:
      return (accumulator & value) !== 0;
    default:
      return undefined;
  }
}

const SIZE = 8;
