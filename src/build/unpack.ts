import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { decodeHeader } from '../../guest-agent/tar/header.ts';
import { decompressed } from '../images/decompress.ts';
import { archiveTree } from './archive-tree.ts';
import type { Match } from './glob.ts';
import { BuildProblem } from './problem.ts';
import type { Spool, Spooled } from './spool.ts';
import { contents } from './write-layer.ts';

/** ADD puts the content of local tar archives in their place, told by what they hold, not by their names. */
export async function unpackArchives(sources: Match[], spool: Spool): Promise<Match[]> {
  return Promise.all(
    sources.map(async (source) => {
      const bytes = (await contents([source.node])).get(source.node);
      if (bytes === undefined || !(await isArchive(source.name, bytes))) return source;
      return { ...source, unpacked: true as const, node: await archiveTree(decompressed(bytes.read()), spool) };
    }),
  );
}

async function isArchive(name: string, bytes: Spooled): Promise<boolean> {
  const [start] = await firstOf(bytes.read());
  const format = UNKNOWN.find(({ magic }) => start?.subarray(0, magic.length).equals(magic));
  if (format !== undefined && /\.(tar\.\w+|t[bx]z2?)$/.test(name))
    throw new BuildProblem(`\`${name}\` is compressed with ${format.name}: compress it with gzip or zstd`);
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

const UNKNOWN = [
  { name: 'xz', magic: Buffer.from('fd377a585a00', 'hex') },
  { name: 'bzip2', magic: Buffer.from('BZh') },
];
