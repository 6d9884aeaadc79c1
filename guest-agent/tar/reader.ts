import { byteReader, type ByteReader } from './byte-reader.ts';
import { BLOCK, MalformedTar, padding, type TarEntry, type TarType } from './entry.ts';
import { decodeHeader, type RawHeader } from './header.ts';
import { decodePax, XATTR_KEY } from './pax.ts';

export interface TarItem {
  entry: TarEntry;
  /** The file's bytes, once. What the consumer leaves is skipped before the next entry. */
  body: AsyncIterable<Buffer>;
}

/**
 * The entries of a tar stream, in order. Reads `source` to its end, also what follows the end-of-archive mark, so that
 * the caller's digest covers every byte. Holds one chunk and one header in memory.
 *
 * npm's tar-stream decodes PAX records as UTF-8, which breaks `security.capability`, and cuts large owners.
 *
 * @throws MalformedTar for what is no tar, is cut short, or holds an entry type that no image may have.
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarItem> {
  const input = byteReader(source, (where) => new MalformedTar(`ends in the middle of ${where}`));
  try {
    for await (const entry of entries(input)) {
      let left = entry.size;
      const body = (async function* () {
        while (left > 0) {
          const chunk = await input.some(left, 'a file');
          left -= chunk.length;
          yield chunk;
        }
      })();
      yield { entry, body };
      await input.skip(left + padding(entry.size), 'a file');
    }
    await input.drain();
  } finally {
    await input.close();
  }
}

/** The headers, resolved. Between two of them the caller reads the first one's body. */
async function* entries(input: ByteReader): AsyncGenerator<TarEntry> {
  let extended: Extended = {};
  for (;;) {
    const block = await input.take(BLOCK, 'a header');
    const raw = block && decodeHeader(block);
    if (raw === undefined) return;
    if (EXTENDED_FLAGS.has(raw.flag)) {
      extended = { ...extended, ...(await readExtended(input, raw)) };
    } else {
      yield resolve(raw, extended);
      extended = {};
    }
  }
}

/** What the headers before an entry's own say about it. */
interface Extended {
  pax?: Map<string, Buffer>;
  longName?: string;
  longLinkName?: string;
}

async function readExtended(input: ByteReader, raw: RawHeader): Promise<Extended> {
  if (raw.size < 0 || raw.size > MAX_EXTENDED_HEADER) throw new MalformedTar('extended header of more than 1 MiB');
  const data = (await input.take(raw.size, 'a header')) ?? Buffer.alloc(0);
  await input.skip(padding(raw.size), 'a header');
  // Global records describe the archive (git puts its commit there); Docker and containerd do not apply them either.
  if (raw.flag === 'g') return {};
  if (raw.flag === 'x') return { pax: decodePax(data) };
  const text = data.toString('latin1').replace(/\0.*$/s, '');
  return raw.flag === 'L' ? { longName: text } : { longLinkName: text };
}

function resolve(raw: RawHeader, { pax = new Map<string, Buffer>(), longName, longLinkName }: Extended): TarEntry {
  const named = (key: string) => {
    const value = pax.get(key)?.toString('latin1');
    return value === '' ? undefined : value;
  };
  const numeric = (key: string, stored: number) => {
    const value = named(key);
    if (value === undefined) return stored;
    if (!/^-?[0-9]{1,15}(\.[0-9]*)?$/.test(value)) throw new MalformedTar(`PAX record ${key} that is no number`);
    return Math.floor(Number(value));
  };
  if ([...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw new MalformedTar('sparse file');
  const name = named('path') ?? longName ?? raw.name;
  const type = raw.flag === '\0' && name.endsWith('/') ? 'directory' : TYPES.get(raw.flag);
  if (type === undefined) throw new MalformedTar(`entry of type ${JSON.stringify(raw.flag)}`);
  const size = numeric('size', raw.size);
  if (!Number.isSafeInteger(size) || size < 0) throw new MalformedTar('header with an impossible size');
  const xattrs = [...pax].filter(([key]) => key.startsWith(XATTR_KEY));
  return {
    name,
    type,
    mode: raw.mode,
    uid: numeric('uid', raw.uid),
    gid: numeric('gid', raw.gid),
    mtime: numeric('mtime', raw.mtime),
    // Only files have a body; Go's archive/tar, by which images are made, ignores the size of other types too.
    size: type === 'file' ? size : 0,
    linkName: type === 'hard-link' || type === 'symlink' ? (named('linkpath') ?? longLinkName ?? raw.linkName) : '',
    deviceMajor: raw.deviceMajor,
    deviceMinor: raw.deviceMinor,
    xattrs: new Map(xattrs.map(([key, value]) => [key.slice(XATTR_KEY.length), value])),
  };
}

/** PAX for one entry and for all, GNU long name and long link name. */
const EXTENDED_FLAGS = new Set(['x', 'g', 'L', 'K']);

/** Every other flag is refused: sparse files (S), multi-volume and incremental archives have no place in an image. */
const TYPES = new Map<string, TarType>([
  ['0', 'file'],
  ['\0', 'file'],
  ['7', 'file'],
  ['1', 'hard-link'],
  ['2', 'symlink'],
  ['3', 'character-device'],
  ['4', 'block-device'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

/** The limit of Go's archive/tar. */
const MAX_EXTENDED_HEADER = 1024 * 1024;
