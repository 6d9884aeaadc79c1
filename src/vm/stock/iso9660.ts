/**
 * A CD-ROM image of a few small files in one folder: ISO 9660 (ECMA-119), with names that it would not allow and every
 * kernel reads, as mkisofs writes them with -relaxed-filenames: Linux shows them in lower case, without ".;1".
 *
 * @param label volume identifier
 * @param files contents by name
 */
export function iso9660(label: string, files: Record<string, string>): Buffer {
  const entries = Object.entries(files)
    .map(([name, content]) => ({ name: `${name.toUpperCase()}.;1`, content: Buffer.from(content) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  let sector = FIRST_FILE;
  const placed = entries.map((entry) => {
    const at = sector;
    sector += sectors(entry.content.length);
    return { ...entry, at };
  });
  const root = folder(placed);
  const image = Buffer.alloc(sector * SECTOR);
  volumeDescriptor(label, sector).copy(image, 16 * SECTOR);
  Buffer.from(`\xffCD001\x01`, 'latin1').copy(image, 17 * SECTOR);
  pathTable('LE').copy(image, PATH_TABLE_LE * SECTOR);
  pathTable('BE').copy(image, PATH_TABLE_BE * SECTOR);
  root.copy(image, ROOT * SECTOR);
  for (const { content, at } of placed) content.copy(image, at * SECTOR);
  return image;
}

/** 8.4: the primary volume descriptor. */
function volumeDescriptor(label: string, size: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write('\x01CD001\x01', 'latin1');
  bytes.fill(' ', 8, 72);
  bytes.write(label, 40, 32, 'latin1');
  both32(size).copy(bytes, 80);
  for (const at of [120, 124]) both16(1).copy(bytes, at);
  both16(SECTOR).copy(bytes, 128);
  both32(PATH_TABLE_BYTES).copy(bytes, 132);
  bytes.writeUInt32LE(PATH_TABLE_LE, 140);
  bytes.writeUInt32BE(PATH_TABLE_BE, 148);
  record('\0', { at: ROOT, size: SECTOR, isFolder: true }).copy(bytes, 156);
  bytes.fill(' ', 190, 813);
  for (const at of [813, 830, 847, 864]) bytes.fill('0', at, at + 16);
  bytes[881] = 1;
  return bytes;
}

function folder(files: { name: string; content: Buffer; at: number }[]): Buffer {
  const itself = ['\0', '\x01'].map((name) => record(name, { at: ROOT, size: SECTOR, isFolder: true }));
  const rest = files.map(({ name, content, at }) => record(name, { at, size: content.length, isFolder: false }));
  return Buffer.concat([...itself, ...rest]);
}

/** 9.1: a directory record, without a date. */
function record(name: string, { at, size, isFolder }: { at: number; size: number; isFolder: boolean }): Buffer {
  const bytes = Buffer.alloc(33 + name.length + ((name.length + 1) % 2));
  bytes[0] = bytes.length;
  both32(at).copy(bytes, 2);
  both32(size).copy(bytes, 10);
  bytes[25] = isFolder ? 2 : 0;
  both16(1).copy(bytes, 28);
  bytes[32] = name.length;
  bytes.write(name, 33, 'latin1');
  return bytes;
}

/** 9.4: it names the root alone. */
function pathTable(order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.alloc(PATH_TABLE_BYTES);
  bytes[0] = 1;
  bytes[`writeUInt32${order}`](ROOT, 2);
  bytes[`writeUInt16${order}`](1, 6);
  return bytes;
}

/** 7.2.3, 7.3.3: in both byte orders. */
function both16(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(value, 0);
  bytes.writeUInt16BE(value, 2);
  return bytes;
}

function both32(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32BE(value, 4);
  return bytes;
}

function sectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR);
}

const SECTOR = 2048;
const [PATH_TABLE_LE, PATH_TABLE_BE, ROOT, FIRST_FILE] = [18, 19, 20, 21];
const PATH_TABLE_BYTES = 10;
