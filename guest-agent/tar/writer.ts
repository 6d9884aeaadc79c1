import { BLOCK, padding, type TarEntry, type TarType } from './entry.ts';
import { encodeHeader, type RawHeader } from './header.ts';
import { encodePax, XATTR_KEY } from './pax.ts';

/** The header blocks of one entry: ustar, with PAX records for what ustar cannot hold. */
export function tarHeader(entry: TarEntry): Buffer {
  const header: RawHeader = { ...entry, flag: FLAGS[entry.type] };
  const records = new Map<string, Buffer>();
  const record = (key: string, value: string | number) => records.set(key, Buffer.from(String(value), 'latin1'));
  if (entry.name.length > 100) record('path', entry.name);
  if (entry.linkName.length > 100) record('linkpath', entry.linkName);
  if (entry.uid > MAX_OWNER) record('uid', entry.uid);
  if (entry.gid > MAX_OWNER) record('gid', entry.gid);
  if (entry.size > MAX_SIZE) record('size', entry.size);
  for (const [key, value] of entry.xattrs) records.set(XATTR_KEY + key, value);
  if (records.size === 0) return encodeHeader(header);
  const pax = encodePax(records);
  return Buffer.concat([
    encodeHeader({ ...header, name: 'PaxHeader', flag: 'x', size: pax.length, linkName: '', mode: 0o644 }),
    pax,
    Buffer.alloc(padding(pax.length)),
    encodeHeader(header),
  ]);
}

/** Two blocks of zeros. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

const FLAGS: Record<TarType, string> = {
  file: '0',
  'hard-link': '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

/** Seven octal digits. */
const MAX_OWNER = 0o7777777;
/** Eleven octal digits: 8 GiB. */
const MAX_SIZE = 0o77777777777;
