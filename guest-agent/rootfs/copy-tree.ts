import {
  chmodSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Copies what is in the folder `source`, an image's, into the folder `target`, with owners, modes and times. No link is
 * followed. Device files and sockets are left out. Nobody else uses either folder.
 */
export function copyTree(source: string, target: string): void {
  for (const name of readdirSync(source)) copyEntry(join(source, name), join(target, name));
}

function copyEntry(source: string, target: string): void {
  const status = lstatSync(source);
  if (status.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
  else if (status.isDirectory()) mkdirSync(target);
  else if (status.isFile()) copyFileSync(source, target);
  else return;
  lchownSync(target, status.uid, status.gid);
  if (status.isSymbolicLink()) return;
  if (status.isDirectory()) copyTree(source, target);
  chmodSync(target, status.mode & 0o7777);
  utimesSync(target, status.atime, status.mtime);
}
