import { open, type FileHandle } from 'node:fs/promises';

/** What a program or library asks of the dynamic loader: elf(5), ld.so(8). */
export interface DynamicLinks {
  /** Names in DT_NEEDED, e.g. `libc.so.6`. */
  needed: string[];
  /** Path in .interp, e.g. `/lib64/ld-linux-x86-64.so.2`. */
  interpreter: string | null;
}

/** A statically linked file has no links. */
export async function readDynamicLinks(file: string): Promise<DynamicLinks> {
  const sections = await readSections(file, ['.interp', '.dynamic', '.dynstr']);
  const interpreter = sections.get('.interp');
  return {
    needed: neededNames(sections.get('.dynamic'), sections.get('.dynstr')),
    interpreter: interpreter === undefined ? null : cString(interpreter, 0),
  };
}

/** The `key=value` strings that a kernel module carries in .modinfo: modinfo(8). A key may repeat. */
export async function readModuleInfo(file: string): Promise<[key: string, value: string][]> {
  const section = (await readSections(file, ['.modinfo'])).get('.modinfo');
  if (section === undefined) throw new Error(`read kernel module \`${file}\`: no .modinfo section`);
  return section
    .toString('utf8')
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
}

async function readSections(file: string, names: string[]): Promise<Map<string, Buffer>> {
  await using handle = await open(file);
  const header = await read(handle, 0, HEADER_SIZE);
  if (header.readUInt32BE(0) !== MAGIC || header[4] !== CLASS_64 || header[5] !== LITTLE_ENDIAN)
    throw new Error(`read \`${file}\`: not a 64-bit little-endian ELF file`);
  const entrySize = header.readUInt16LE(0x3a);
  const count = header.readUInt16LE(0x3c);
  const table = await read(handle, Number(header.readBigUInt64LE(0x28)), entrySize * count);
  const entries = Array.from({ length: count }, (_, index) =>
    table.subarray(index * entrySize, (index + 1) * entrySize),
  );
  const content = (entry: Buffer) =>
    read(handle, Number(entry.readBigUInt64LE(0x18)), Number(entry.readBigUInt64LE(0x20)));
  const namesEntry = entries[header.readUInt16LE(0x3e)];
  if (namesEntry === undefined) return new Map();
  const nameTable = await content(namesEntry);
  const wanted = entries
    .map((entry) => ({ entry, name: cString(nameTable, entry.readUInt32LE(0)) }))
    .filter(({ name }) => names.includes(name));
  return new Map(await Promise.all(wanted.map(async ({ entry, name }) => [name, await content(entry)] as const)));
}

function neededNames(dynamic: Buffer | undefined, strings: Buffer | undefined): string[] {
  if (dynamic === undefined || strings === undefined) return [];
  return Array.from(
    { length: Math.floor(dynamic.length / DYNAMIC_ENTRY_SIZE) },
    (_, index) => index * DYNAMIC_ENTRY_SIZE,
  )
    .filter((offset) => dynamic.readBigInt64LE(offset) === DT_NEEDED)
    .map((offset) => cString(strings, Number(dynamic.readBigUInt64LE(offset + 8))));
}

async function read(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error(`read ELF file: ends before byte ${position + length}`);
  return buffer;
}

function cString(buffer: Buffer, start: number): string {
  const end = buffer.indexOf(0, start);
  return buffer.toString('utf8', start, end === -1 ? buffer.length : end);
}

/** System V ABI, chapter 4 and 5. */
const MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const HEADER_SIZE = 64;
const DYNAMIC_ENTRY_SIZE = 16;
const DT_NEEDED = 1n;
