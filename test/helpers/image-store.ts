import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { openImages, type Images } from '../../src/images/images.ts';
import { pathsIn, tarOf, temporaryFolder, type TestLayer } from './images.ts';

/** A store of its own, as an engine opens it. */
export interface OpenedImages {
  folder: string;
  store: string;
  disks: string;
  images: Images;
  /** As an engine does that comes after another. */
  reopen: () => Promise<Images>;
}

export async function openTestImages(t: ExecutionContext): Promise<OpenedImages> {
  const folder = await temporaryFolder(t);
  const paths = pathsIn(folder);
  const reopen = () => openImages(paths);
  return { folder, store: paths.imageStore, disks: paths.layers, images: await reopen(), reopen };
}

export const from = (file: string) => ({ kind: 'path', path: file }) as const;

/** A layer with one file. */
export async function layerOf(text: string): Promise<TestLayer> {
  return { tar: await tarOf([{ name: 'file', content: text }]) };
}

/** Asserts that no load has left anything. */
export async function assertEmpty(t: ExecutionContext, { store, disks }: OpenedImages): Promise<void> {
  t.deepEqual(await readdir(disks), []);
  t.deepEqual(await readdir(path.join(store, 'blobs/sha256')), []);
  t.deepEqual((await readdir(store)).sort(), ['blobs', 'index.json', 'oci-layout']);
}

/** Every name below the folders, sorted. */
export async function tree(...folders: string[]): Promise<string[]> {
  return (await Promise.all(folders.map((folder) => readdir(folder, { recursive: true })))).flat().sort();
}

export interface IndexDocument {
  manifests: { digest: string; size: number; mediaType: string; platform?: object }[];
}

/** Changes index.json of a layout. */
export async function editIndex(source: string, edit: (index: IndexDocument) => void): Promise<void> {
  const file = path.join(source, 'index.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as IndexDocument;
  edit(index);
  await writeFile(file, JSON.stringify(index));
}
