import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { conflict, errnoOf, invalid } from '../errors.ts';
import { isOverlayXattr } from '../rootfs/whiteout.ts';
import type { Kernel } from '../runtime.ts';
import { O_PATH } from '../sys/constants.ts';
import { MalformedTar, printable, type TarEntry } from '../tar/entry.ts';
import { readTar } from '../tar/reader.ts';

/** Where an archive goes: a folder, as seen from a root that bounds where links lead. */
export interface UnpackTarget {
  /** Descriptor of the root. */
  root: number;
  /** Bytes. */
  folder: Buffer;
}

/**
 * Unpacks a tar. Whatever the archive says, and whatever a container does to its folders and links meanwhile, nothing outside
 * the root is touched: each folder is found by the kernel within the root and held open, and what is made in it has a
 * single name that no link stands for (CVE-2018-15664).
 *
 * Files that are there are replaced; a folder takes no other file's place, nor the other way round.
 */
export async function unpack(kernel: Kernel, source: AsyncIterable<Buffer>, target: UnpackTarget): Promise<void> {
  const folders: TarEntry[] = [];
  try {
    for await (const { entry, body } of readTar(source)) {
      // What is unpacked into stays as it is, whatever `.` was where the archive comes from.
      if (entry.type === 'directory' && namesOf(entry.name).length === 0) continue;
      await inFolder(kernel, target, entry.name, (at) => make(kernel, target, entry, body, at));
      if (entry.type === 'directory') folders.push(entry);
      if (folders.length > FOLDER_LIMIT) throw invalid(`unpack: more than ${FOLDER_LIMIT} folders`);
    }
  } catch (error) {
    if (error instanceof MalformedTar) throw invalid(`unpack: ${error.message}`);
    throw error;
  }
  // Last, as each file that was made in one changed its time.
  for (const { name, mtime } of folders.reverse())
    await inFolder(kernel, target, name, (at) => withFile(at, (self) => utimesSync(self, mtime, mtime)));
}

const namesOf = (name: string) => name.split('/').filter((each) => each !== '' && each !== '.');

/** Calls `use` with a name of the entry that leads through no link. */
async function inFolder<T>(
  kernel: Kernel,
  { root, folder }: UnpackTarget,
  name: string,
  use: (at: Buffer) => Promise<T> | T,
): Promise<T> {
  const names = namesOf(name);
  if (names.includes('..') || name.includes('\0')) throw invalid(`unpack \`${printable(name)}\`: it leaves the folder`);
  const last = names.pop();
  const parent = openParent(kernel, { root, folder }, names);
  try {
    return await use(Buffer.from(`/proc/self/fd/${parent}/${last ?? '.'}`, 'latin1'));
  } finally {
    closeSync(parent);
  }
}

/** Folders that the archive leaves out are made, as tar(1) does. */
function openParent(kernel: Kernel, target: UnpackTarget, names: string[]): number {
  const path = join(target.folder, names);
  try {
    return kernel.openFolder(target.root, path);
  } catch (error) {
    const last = names.at(-1);
    if (errnoOf(error) !== 'ENOENT' || last === undefined) throw error;
    const above = openParent(kernel, target, names.slice(0, -1));
    try {
      mkdirSync(Buffer.from(`/proc/self/fd/${above}/${last}`, 'latin1'));
    } catch (failure) {
      // A link that leads nowhere: the folder that it stands for is not made.
      if (errnoOf(failure) !== 'EEXIST') throw failure;
    } finally {
      closeSync(above);
    }
    return kernel.openFolder(target.root, path);
  }
}

async function make(
  kernel: Kernel,
  target: UnpackTarget,
  entry: TarEntry,
  body: AsyncIterable<Buffer>,
  at: Buffer,
): Promise<void> {
  makeRoom(entry, at);
  switch (entry.type) {
    case 'directory':
      break;
    case 'file':
      await writeFile(at, body);
      break;
    case 'symlink':
      symlinkSync(Buffer.from(entry.linkName, 'latin1'), at);
      break;
    case 'hard-link':
      await inFolder(kernel, target, entry.linkName, (existing) => linkSync(existing, at));
      return;
    case 'fifo':
    case 'character-device':
    case 'block-device':
      kernel.makeNode(at, entry.type, { major: entry.deviceMajor, minor: entry.deviceMinor });
      break;
  }
  withFile(at, (self) => describe(kernel, self, entry));
}

/** Makes a folder, or takes away what has the name. */
function makeRoom(entry: TarEntry, at: Buffer): void {
  const existing = lstatSync(at, { throwIfNoEntry: false });
  if (entry.type === 'directory' && existing?.isDirectory() === true) return;
  if (existing?.isDirectory() === true)
    throw conflict(`unpack \`${printable(entry.name)}\`: cannot overwrite a folder with what is none`);
  if (existing !== undefined && entry.type === 'directory')
    throw conflict(`unpack \`${printable(entry.name)}\`: cannot overwrite with a folder what is none`);
  if (existing !== undefined) unlinkSync(at);
  if (entry.type === 'directory') mkdirSync(at);
}

async function writeFile(at: Buffer, body: AsyncIterable<Buffer>): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  await using file = await open(at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  for await (const chunk of body) await file.writeFile(chunk);
}

/** Calls `use` with a name of that very file, be it a link. */
function withFile(at: Buffer, use: (self: string) => void): void {
  const fd = openSync(at, O_PATH | constants.O_NOFOLLOW);
  try {
    use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** The owner first: changing it takes set-user-ID and capabilities away. */
function describe(kernel: Kernel, self: string, { type, uid, gid, mode, mtime, xattrs }: TarEntry): void {
  chownSync(self, uid, gid);
  if (type === 'symlink') return;
  for (const [name, value] of xattrs) if (!isOverlayXattr(name)) setXattr(kernel, self, name, value);
  chmodSync(self, mode & 0o7777);
  utimesSync(self, mtime, mtime);
}

/** Not every file system has every attribute: what cannot be kept is left out, as cp(1) does. */
function setXattr(kernel: Kernel, self: string, name: string, value: Buffer): void {
  try {
    kernel.setXattr(self, name, value);
  } catch (error) {
    if (!['ENOTSUP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
  }
}

const join = (folder: Buffer, names: string[]) =>
  Buffer.concat([folder, ...names.map((name) => Buffer.from(`/${name}`, 'latin1'))]);

/** Their times are kept until the end. */
const FOLDER_LIMIT = 1_000_000;
