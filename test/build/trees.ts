import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { archiveTree } from '../../src/build/archive-tree.ts';
import type { TreeNode } from '../../src/build/file-tree.ts';
import { openSpool, type Spool } from '../../src/build/spool.ts';
import { streamOf, tarOf, type TarEntry } from '../helpers/images.ts';

export async function testSpool(t: ExecutionContext): Promise<Spool> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-build-'));
  const spool = await openSpool(path.join(folder, 'spool'));
  t.teardown(async () => {
    await spool[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return spool;
}

export async function treeOf(t: ExecutionContext, entries: TarEntry[]): Promise<TreeNode> {
  return archiveTree(streamOf(await tarOf(entries), 777), await testSpool(t));
}

export const link = (name: string, target: string): TarEntry => ({ name, type: 'symlink', linkname: target });
