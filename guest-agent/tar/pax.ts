import { MalformedTar } from './entry.ts';

/** Records of a PAX extended header: `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record. Values are bytes. */
export function decodePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < data.length;) {
    const space = data.indexOf(' ', start);
    const digits = data.toString('latin1', start, space < 0 ? start : space);
    const end = start + Number(digits);
    if (!/^[1-9][0-9]{0,7}$/.test(digits) || end > data.length || data[end - 1] !== NEWLINE) throw broken();
    const equals = data.indexOf('=', space);
    if (equals < 0 || equals >= end) throw broken();
    records.set(data.toString('latin1', space + 1, equals), data.subarray(equals + 1, end - 1));
    start = end;
  }
  return records;
}

export function encodePax(records: Map<string, Buffer>): Buffer {
  const parts = [...records].map(([key, value]) => {
    const rest = ` ${key}=`.length + value.length + 1;
    let length = rest + 1;
    while (rest + String(length).length !== length) length = rest + String(length).length;
    return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.of(NEWLINE)]);
  });
  return Buffer.concat(parts);
}

function broken(): MalformedTar {
  return new MalformedTar('broken PAX header');
}

const NEWLINE = 0x0a;

/** How every implementation writes extended attributes into PAX records (star(1), GNU tar, Go's archive/tar). */
export const XATTR_KEY = 'SCHILY.xattr.';
