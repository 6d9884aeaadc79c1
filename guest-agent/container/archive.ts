import { closeSync, constants, readlinkSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { conflict, RequestError } from '../errors.ts';
import { numbersOf } from '../rootfs/devices.ts';
import { isOpaque, isOverlayXattr, isWhiteout } from '../rootfs/whiteout.ts';
import { present, walk, type WalkedFile } from '../rootfs/walk.ts';
import type { Runtime } from '../runtime.ts';
import { O_PATH } from '../sys/constants.ts';
import { padding, type TarEntry, type TarType } from '../tar/entry.ts';
import { tarEnd, tarHeader } from '../tar/writer.ts';
import type { Container } from './container.ts';
import { stoppedRoot } from './stopped-root.ts';

/**
 * A container's files as a tar: `upper` what it wrote, as a layer of the OCI image specification (layer.md); `whole` all
 * that it sees. Holes of sparse files are written out: no reader of layers knows them. Sockets are left out, as everywhere.
 */
export async function* containerArchive(
  runtime: Runtime,
  container: Container,
  tree: 'upper' | 'whole',
): AsyncGenerator<Buffer> {
  const top = runtime.kernel.openTree(stoppedRoot(runtime, container), tree);
  try {
    yield* packFolder(runtime, top, layerEntry);
  } finally {
    closeSync(top);
  }
  // What a deletion left is no whole archive.
  if (container.removed) throw conflict(`read container \`${container.spec.id}\`: it was deleted meanwhile`);
  yield tarEnd();
}

type PackEntry = (runtime: Runtime, file: WalkedFile) => AsyncGenerator<Buffer, boolean>;

/** The entries of everything below the folder `top`, without the archive's end. @param prefix of their names */
export async function* packFolder(
  runtime: Runtime,
  top: number,
  entry: PackEntry = packEntry,
  prefix = '',
): AsyncGenerator<Buffer> {
  /** The first name of each file that has several, by inode. */
  const names = new Map<number, string>();
  for (const found of walk(top)) {
    const file = { ...found, path: prefix + found.path };
    const { stats, path } = file;
    const name = names.get(stats.ino);
    if (name !== undefined && stats.nlink > 1) yield tarHeader(hardLink(stats, path, name));
    else if (yield* entry(runtime, file)) if (stats.nlink > 1 && !stats.isDirectory()) names.set(stats.ino, path);
  }
}

/** What overlayfs says about layers below, in a layer's words. */
async function* layerEntry(runtime: Runtime, file: WalkedFile): AsyncGenerator<Buffer, boolean> {
  const { path, at, stats } = file;
  const slash = path.lastIndexOf('/') + 1;
  if (isWhiteout(stats)) {
    yield tarHeader({ ...plainEntry(stats, 'file'), name: `${path.slice(0, slash)}${WHITEOUT}${path.slice(slash)}` });
    return false;
  }
  if (path.startsWith(WHITEOUT, slash))
    throw new RequestError(500, `pack file \`${path}\`: a layer cannot hold a name that begins with ${WHITEOUT}`);
  const found = present(() => runtime.kernel.readXattrs(at));
  if (found === undefined) return false;
  const packed = yield* packFile(file, found);
  if (packed && stats.isDirectory() && isOpaque(found))
    yield tarHeader({ ...plainEntry(stats, 'file'), name: `${path}/${OPAQUE}` });
  return packed;
}

/** @returns whether there is such an entry. */
export async function* packEntry({ kernel }: Runtime, file: WalkedFile): AsyncGenerator<Buffer, boolean> {
  const found = present(() => kernel.readXattrs(file.at));
  return found !== undefined && (yield* packFile(file, found));
}

/** @param found all extended attributes of the file */
async function* packFile({ path, at, stats }: WalkedFile, found: Map<string, Buffer>): AsyncGenerator<Buffer, boolean> {
  const type = typeOf(stats);
  if (type === undefined) return false;
  const xattrs = new Map([...found].filter(([name]) => !isOverlayXattr(name) && !name.startsWith('system.')));
  const entry = { ...plainEntry(stats, type), name: path, xattrs };
  switch (type) {
    case 'file':
      return yield* fileEntry(entry, at);
    case 'directory':
      yield tarHeader({ ...entry, name: `${path}/` });
      return true;
    case 'symlink': {
      const target = present(() => readlinkSync(at, { encoding: 'buffer' }));
      if (target === undefined) return false;
      yield tarHeader({ ...entry, linkName: target.toString('latin1') });
      return true;
    }
    case 'character-device':
    case 'block-device':
      yield tarHeader({ ...entry, ...deviceOf(stats) });
      return true;
    case 'fifo':
      yield tarHeader(entry);
      return true;
  }
}

/** As many bytes as the header says, whatever happens to the file meanwhile: what is missing is zeros. */
async function* fileEntry(entry: TarEntry, at: Buffer): AsyncGenerator<Buffer, boolean> {
  // A container may put a device in its place meanwhile, which must not even be opened.
  const handle = await open(at, O_PATH | constants.O_NOFOLLOW).catch(() => undefined);
  if (handle === undefined) return false;
  await using found = handle;
  const stats = await found.stat();
  if (!stats.isFile()) return false;
  await using file = await open(`/proc/self/fd/${found.fd}`, constants.O_RDONLY);
  yield tarHeader({ ...entry, size: stats.size });
  for (let left = stats.size; left > 0;) {
    const chunk = Buffer.alloc(Math.min(left, CHUNK));
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    const part = bytesRead === 0 ? chunk : chunk.subarray(0, bytesRead);
    left -= part.length;
    yield part;
  }
  yield Buffer.alloc(padding(stats.size));
  return true;
}

export function plainEntry(stats: Stats, type: TarType): TarEntry {
  return {
    name: '',
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: Math.floor(stats.mtimeMs / 1000),
    size: 0,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
}

const hardLink = (stats: Stats, name: string, linkName: string): TarEntry => ({
  ...plainEntry(stats, 'hard-link'),
  name,
  linkName,
});

function typeOf(stats: Stats): Exclude<TarType, 'hard-link'> | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'character-device';
  if (stats.isBlockDevice()) return 'block-device';
  return stats.isFIFO() ? 'fifo' : undefined;
}

function deviceOf({ rdev }: Stats): Pick<TarEntry, 'deviceMajor' | 'deviceMinor'> {
  const { major, minor } = numbersOf(rdev);
  return { deviceMajor: major, deviceMinor: minor };
}

/** OCI image-spec layer.md, "Whiteouts". */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

const CHUNK = 256 * 1024;
