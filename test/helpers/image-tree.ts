import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { TreeNode } from '../../src/build/file-tree.ts';
import { applyLayer } from '../../src/build/layer-tree.ts';
import { emptyTree } from '../../src/build/file-tree.ts';
import { contents } from '../../src/build/write-layer.ts';
import { decompressed } from '../../src/images/decompress.ts';
import { testSpool } from '../build/trees.ts';

interface Descriptor {
  digest: string;
  annotations?: Record<string, string>;
}

/**
 * All files of an image of an OCI layout, its layers on top of each other: by path what they are, times left out.
 *
 * @param name annotation of the image
 */
export async function imageTree(t: ExecutionContext, layout: string, name: string): Promise<Map<string, string>> {
  const spool = await testSpool(t);
  const blob = (digest: string) => path.join(layout, 'blobs', digest.replace(':', '/'));
  const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as Record<string, Descriptor[]>;
  const found = (await read(path.join(layout, 'index.json')))['manifests']?.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === name,
  );
  const { layers = [] } = await read(blob(found?.digest ?? ''));
  const root = emptyTree();
  for (const { digest } of layers)
    await applyLayer(root, () => decompressed(createReadStream(blob(digest)) as AsyncIterable<Buffer>), spool);
  const files = [...below('', root)];
  const bytes = await contents(files.map(({ node }) => node));
  return new Map(
    files.map(({ path: file, node }) => {
      const { type, mode, uid, gid, linkName, xattrs } = node.entry;
      const attributes = [...xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).join();
      return [
        file,
        [
          type,
          type === 'symlink' ? '' : mode.toString(8),
          uid,
          gid,
          linkName,
          attributes,
          bytes.get(node)?.digest,
        ].join(' '),
      ];
    }),
  );
}

function* below(prefix: string, { children }: TreeNode): Generator<{ path: string; node: TreeNode }> {
  for (const [name, node] of children ?? []) {
    yield { path: `${prefix}/${name}`, node };
    yield* below(`${prefix}/${name}`, node);
  }
}
