import { closeSync, lstatSync, readdirSync } from 'node:fs';
import type { FileChange } from '../api.ts';
import { isOpaque, isWhiteout } from '../rootfs/whiteout.ts';
import { present, walk } from '../rootfs/walk.ts';
import type { Runtime } from '../runtime.ts';
import type { Container } from './container.ts';
import { stoppedRoot } from './stopped-root.ts';

/** What the container added, changed and deleted, as `docker diff` shows it; parents first. */
export function* containerChanges(runtime: Runtime, container: Container): Generator<FileChange> {
  const rootfs = stoppedRoot(runtime, container);
  const image = runtime.kernel.openTree(rootfs, 'image');
  try {
    const upper = runtime.kernel.openTree(rootfs, 'upper');
    try {
      yield* compare(runtime, upper, image);
    } finally {
      closeSync(upper);
    }
  } finally {
    closeSync(image);
  }
}

function* compare({ kernel }: Runtime, upper: number, image: number): Generator<FileChange> {
  /** Folders of the image, by path. Only below these is looked, so no link of the image is gone through. */
  const folders = new Set(['']);
  for (const { path, at, stats } of walk(upper)) {
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    const below = folders.has(parent) ? statIn(image, path) : undefined;
    if (isWhiteout(stats)) {
      if (below !== undefined) yield { kind: 'D', path: shown(path) };
      continue;
    }
    yield { kind: below === undefined ? 'A' : 'C', path: shown(path) };
    if (!stats.isDirectory() || below?.isDirectory() !== true) continue;
    folders.add(path);
    if (isOpaque(kernel.readXattrs(at))) yield* hidden(at, image, path);
  }
}

/** What an opaque folder has no more. */
function* hidden(at: Buffer, image: number, path: string): Generator<FileChange> {
  const kept = new Set(present(() => readdirSync(at, { encoding: 'latin1' })));
  for (const name of readdirSync(inTree(image, path), { encoding: 'latin1' }).sort())
    if (!kept.has(name)) yield { kind: 'D', path: shown(`${path}/${name}`) };
}

const statIn = (tree: number, path: string) => present(() => lstatSync(inTree(tree, path)));
const inTree = (tree: number, path: string) => Buffer.from(`/proc/self/fd/${tree}/${path}`, 'latin1');
const shown = (path: string) => `/${Buffer.from(path, 'latin1').toString('utf8')}`;
