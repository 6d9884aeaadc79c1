import { BLOCK, MalformedTar } from './entry.ts';

/** Fields of a header block as they stand, before PAX records and GNU long names replace some. */
export interface RawHeader {
  name: string;
  /** The type flag's character; `\0` where the archive is older than POSIX. */
  flag: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
}

/** @returns undefined for a block of zeros, which ends an archive. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const stored = number(block, 148, 8);
  if (stored !== checksum(block, 'unsigned') && stored !== checksum(block, 'signed'))
    throw new MalformedTar('header with a wrong checksum');
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    flag: block.toString('latin1', 156, 157),
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    linkName: text(block, 157, 100),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
  };
}

/** A POSIX ustar block. The caller puts what does not fit into PAX records; such fields are cut here. */
export function encodeHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(header.name.slice(0, 100), 0, 'latin1');
  octal(block, 100, 8, header.mode);
  octal(block, 108, 8, header.uid);
  octal(block, 116, 8, header.gid);
  octal(block, 124, 12, header.size);
  octal(block, 136, 12, header.mtime);
  block.write(header.flag, 156, 'latin1');
  block.write(header.linkName.slice(0, 100), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, header.deviceMajor);
  octal(block, 337, 8, header.deviceMinor);
  octal(block, 148, 8, checksum(block, 'unsigned'));
  return block;
}

/** Sum of all bytes with the checksum's own field as spaces; very old programs summed signed bytes. */
function checksum(block: Buffer, as: 'signed' | 'unsigned'): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= 148 && i < 156) continue;
    sum += as === 'signed' ? block.readInt8(i) : block.readUInt8(i);
  }
  return sum;
}

function text(block: Buffer, offset: number, length: number): string {
  const field = block.toString('latin1', offset, offset + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

/** Octal digits, or base 256 (GNU) where the first bit is set. An empty field is 0. */
function number(block: Buffer, offset: number, length: number): number {
  const first = block.readUInt8(offset);
  if ((first & 0x80) !== 0) return base256(block.subarray(offset, offset + length));
  const digits = text(block, offset, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new MalformedTar('header with a field that is no number');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function base256(field: Buffer): number {
  const bits = field.length * 8 - 1;
  const value = BigInt.asIntN(bits, BigInt(`0x${field.toString('hex')}`));
  return Number(value);
}

function octal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (digits.length < length) block.write(digits, offset, 'latin1');
}
