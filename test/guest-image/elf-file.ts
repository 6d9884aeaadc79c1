/** A 64-bit ELF file with these sections and nothing else. */
export function elfFile(sections: Record<string, Buffer>): Buffer {
  const names = ['', ...Object.keys(sections), '.shstrtab'];
  const nameTable = Buffer.from(names.map((name) => `${name}\0`).join(''));
  const contents = [Buffer.alloc(0), ...Object.values(sections), nameTable];
  const offsets = contents.map((_, index) => 64 + sum(contents.slice(0, index)));
  const headers = names.map((name, index) => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(name === '' ? 0 : nameTable.indexOf(`${name}\0`), 0);
    header.writeBigUInt64LE(BigInt(offsets[index] ?? 0), 0x18);
    header.writeBigUInt64LE(BigInt(contents[index]?.length ?? 0), 0x20);
    return header;
  });
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeBigUInt64LE(BigInt(64 + sum(contents)), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(names.length, 0x3c);
  header.writeUInt16LE(names.length - 1, 0x3e);
  return Buffer.concat([header, ...contents, ...headers]);
}

/** A library whose dynamic section asks for `needed`. */
export function elfLibrary(needed: string[]): Buffer {
  const strings = Buffer.from(['', ...needed].map((name) => `${name}\0`).join(''));
  const dynamic = Buffer.alloc(16 * (needed.length + 1));
  needed.forEach((name, index) => {
    dynamic.writeBigInt64LE(1n, 16 * index);
    dynamic.writeBigUInt64LE(BigInt(strings.indexOf(`${name}\0`)), 16 * index + 8);
  });
  return elfFile({ '.dynamic': dynamic, '.dynstr': strings });
}

/** A kernel module with the key=value strings of its .modinfo. */
export function elfModule(info: string[]): Buffer {
  return elfFile({ '.modinfo': Buffer.from(info.map((entry) => `${entry}\0`).join('')) });
}

function sum(buffers: Buffer[]): number {
  return buffers.reduce((total, { length }) => total + length, 0);
}
