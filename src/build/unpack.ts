import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { decodeHeader } from '../../guest-agent/tar/header.ts';
import { decompressed } from '../images/decompress.ts';
import { archiveTree } from './archive-tree.ts';
import type { Match } from './glob.ts';
import type { Spool, Spooled } from './spool.ts';
import { contents } from './write-layer.ts';

/** ADD puts the content of local tar archives in their place, told by what they hold, not by their names. */
export async function unpackArchives(sources: Match[], spool: Spool): Promise<Match[]> {
  return Promise.all(
    sources.map(async (source) => {
      const bytes = (await contents([source.node])).get(source.node);
      if (bytes === undefined || !(await isArchive(bytes))) return source;
      return { ...source, unpacked: true as const, node: await archiveTree(decompressed(bytes.read()), spool) };
    }),
  );
}

async function isArchive(bytes: Spooled): Promise<boolean> {
  try {
    const [block] = await firstOf(decompressed(bytes.read()));
    return block !== undefined && block.length >= 512 && decodeHeader(block.subarray(0, 512)) !== undefined;
  } catch (error) {
    if (error instanceof MalformedTar) return false;
    throw error;
  }
}

async function firstOf(source: AsyncGenerator<Buffer>): Promise<Buffer[]> {
  for await (const chunk of source) return [chunk];
  return [];
}
