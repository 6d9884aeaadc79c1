/**
 * Memory for a structure of the kernel's interface. Each is made once and filled anew for every call: a child of the zygote
 * would spend more time on making one than on the call. None is used in two calls at once, since calls are synchronous.
 */
export const structure = (size: number): Buffer => Buffer.alloc(size);

/** A number below 2⁵³ as u64, without the allocation that a BigInt is. */
export function writeU64(structure: Buffer, value: number, offset: number): void {
  structure.writeUInt32LE(value % 2 ** 32, offset);
  structure.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}

export const readU64 = (structure: Buffer, offset: number): number =>
  structure.readUInt32LE(offset) + structure.readUInt32LE(offset + 4) * 2 ** 32;
