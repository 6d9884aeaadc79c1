import { createWriteStream } from 'node:fs';
import { chmod, chown, link, lstat, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { printable, type TarEntry } from '../../../guest-agent/tar/entry.ts';
import { readTar } from '../../../guest-agent/tar/reader.ts';
import { NestError } from '../../errors.ts';
import type { Landing } from './landing.ts';

/**
 * Unpacks what came from a container. A container chooses names and links: what is made goes through no link below the target,
 * be it one that an earlier copy has made. Devices are left out.
 *
 * @param from the name that all of the archive is under
 * @returns bytes of files
 */
export async function unpackFiles(
  archive: AsyncIterable<Buffer>,
  from: string,
  { folder, name }: Landing,
  { owners }: { owners: boolean },
): Promise<number> {
  const folders: { file: string; entry: TarEntry }[] = [];
  let size = 0;
  const place = (archived: string) => landed(folder, from, name, archived);
  for await (const { entry, body } of readTar(archive)) {
    const file = await place(entry.name);
    if (entry.type === 'directory') {
      // What is copied into stays as it is, whatever the folder was there.
      if (file === path.resolve(folder)) continue;
      await makeFolder(file, entry);
      folders.push({ file, entry });
      continue;
    }
    if (file === path.resolve(folder)) throw invalid(entry.name, 'it has no name');
    if (DEVICES.has(entry.type)) continue;
    await makeRoom(file, entry);
    if (entry.type === 'symlink') await symlink(Buffer.from(entry.linkName, 'latin1'), file);
    else if (entry.type === 'hard-link') await link(await place(entry.linkName), file);
    else {
      await pipeline(body, createWriteStream(file, { flags: 'wx' }));
      size += entry.size;
      await describe(file, entry, owners);
    }
  }
  // Last and from below: a folder that may not be written to is filled first.
  for (const { file, entry } of folders.reverse()) await describe(file, entry, owners);
  return size;
}

/** Where an entry goes; the folders above it are there, and are folders. */
async function landed(folder: string, from: string, to: string, archived: string): Promise<string> {
  const names = Buffer.from(archived, 'latin1')
    .toString('utf8')
    .split('/')
    .filter((each) => each !== '' && each !== '.');
  if (names.includes('..')) throw invalid(archived, 'it leaves the folder');
  if (from !== '.' && names.shift() !== from) throw invalid(archived, 'it is not what was asked for');
  const below = to === '.' ? names : [to, ...names];
  for (const count of below.keys()) {
    if (count === 0) continue;
    const parent = path.join(folder, ...below.slice(0, count));
    const found = await lstat(parent).catch(() => undefined);
    if (found === undefined) await mkdir(parent);
    else if (!found.isDirectory()) throw invalid(archived, `\`${parent}\` is no folder`);
  }
  return path.resolve(folder, ...below);
}

async function makeFolder(file: string, entry: TarEntry): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) await mkdir(file, { mode: 0o700 });
  else if (!found.isDirectory()) throw invalid(entry.name, `\`${file}\` is no folder`);
}

async function makeRoom(file: string, entry: TarEntry): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isDirectory() === true) throw invalid(entry.name, `\`${file}\` is a folder`);
  if (found !== undefined) await rm(file);
}

async function describe(file: string, { uid, gid, mode, mtime }: TarEntry, owners: boolean): Promise<void> {
  if (owners) await chown(file, uid, gid);
  // Nothing that a container made gains rights here by its mode alone.
  await chmod(file, mode & (owners ? 0o7777 : 0o777));
  await utimes(file, mtime, mtime);
}

function invalid(name: string, why: string): NestError {
  return new NestError('invalid-input', `unpack \`${printable(name)}\`: ${why}`);
}

const DEVICES = new Set<TarEntry['type']>(['character-device', 'block-device', 'fifo']);
