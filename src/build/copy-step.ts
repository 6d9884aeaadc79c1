import path from 'node:path';
import type { CopyInstruction } from './dockerfile/instruction.ts';
import { expandText } from './dockerfile/expand.ts';
import { placeCopies } from './copy.ts';
import type { TreeNode } from './file-tree.ts';
import { isUrl, remoteFiles } from './fetch.ts';
import { glob, type Match } from './glob.ts';
import { chainKey, filesKey } from './keys.ts';
import { findOwner } from './owner.ts';
import { BuildProblem } from './problem.ts';
import { spooledFile } from './spooled-file.ts';
import { findStage } from './stages.ts';
import { layeredFiles } from './state.ts';
import type { StepContext } from './steps.ts';
import { unpackArchives } from './unpack.ts';
import { writeLayer } from './write-layer.ts';

/** A COPY or ADD whose sources are found. */
export interface CopyStep {
  key: string;
  sources: Match[];
  /** Files from elsewhere, which are never unpacked. Those whose checksum is given are fetched only now. */
  fetched: () => Promise<Match[]>;
  /** Absolute, as byte string. */
  target: string;
  chown: string | null;
  mode: number | undefined;
  /** Whether the copies keep their owners. */
  keepsOwner: boolean;
  unpack: boolean;
}

export async function copyKey(
  context: StepContext,
  instruction: CopyInstruction,
  expand: (word: string) => string,
): Promise<CopyStep> {
  const { state } = context;
  const { chown, chmod, from, unpack } = instruction;
  const source = await openSource(context, from);
  const words = instruction.sources.map((word) => expand(word));
  const urls = unpack ? words.filter(isUrl) : [];
  const { identity: remote, fetched } = await remoteFiles(urls, {
    spool: context.build.request.spool,
    checksum: instruction.checksum,
    signal: context.build.tools.signal,
  });
  const patterns = words.filter((word) => !urls.includes(word)).map(bytesOf);
  const found = patterns.flatMap((pattern) => {
    const matches = glob(source.tree, pattern);
    if (matches.length === 0 && !/[*?[]/.test(pattern))
      throw new BuildProblem(`\`${textOf(pattern)}\` is not in ${source.name}`);
    return matches;
  });
  const sources = [...found, ...(await heredocFiles(context, instruction))];
  if (sources.length === 0 && urls.length === 0) throw new BuildProblem(`nothing in ${source.name} fits`);
  const word = expand(instruction.target);
  const slash = /(^|\/)\.?$/.test(word) ? '/' : '';
  const target = bytesOf(path.posix.resolve('/', state.config.WorkingDir, word) + slash);
  const owner = chown === null ? null : expand(chown);
  const mode = chmod === null ? undefined : octal(expand(chmod));
  const identity = source.identity === undefined ? await filesKey(sources) : [source.identity, patterns];
  const key = chainKey(state.key, unpack ? 'add' : 'copy', identity, remote, target, owner, mode ?? null);
  return { key, sources, fetched, target, chown: owner, mode, keepsOwner: from !== null, unpack };
}

/** @returns the tar of the layer */
export async function copyFiles({ build, state }: StepContext, step: CopyStep): Promise<AsyncIterable<Buffer>> {
  const local = step.unpack ? await unpackArchives(step.sources, build.request.spool) : step.sources;
  const sources = [...local, ...(await step.fetched())];
  const root = await state.files.tree(state.layers);
  const owner =
    step.chown !== null ? await findOwner(root, step.chown) : step.keepsOwner ? undefined : { uid: 0, gid: 0 };
  const now = Math.floor(Date.parse(build.created) / 1000);
  const { target, mode } = step;
  const placed = placeCopies(root, sources, { target, owner, chown: step.chown !== null, mode, now });
  return writeLayer(placed, build.newest);
}

interface Source {
  tree: TreeNode;
  name: string;
  /** What its files follow from; undefined: hash them. */
  identity?: string[];
}

async function openSource({ build, stage }: StepContext, from: string | null): Promise<Source> {
  const { request, tools, plan, stages } = build;
  if (from === null) return { tree: request.context, name: 'the build context' };
  const other = findStage(
    plan.stages.filter(({ index }) => index < stage.index),
    from,
  );
  const built = other && stages.get(other.index);
  if (built !== undefined)
    return {
      tree: await built.files.tree(built.layers),
      name: `stage ${from}`,
      identity: built.layers.map(({ diffId }) => diffId),
    };
  const image = await tools.findBase(from);
  const layers = tools.assembly.layersOf(image.id) ?? [];
  const files = layeredFiles((layer) => tools.assembly.openLayer(layer), request.spool);
  return { tree: await files.tree(layers), name: `image ${from}`, identity: [image.id] };
}

async function heredocFiles({ build, state, escape }: StepContext, { heredocs }: CopyInstruction): Promise<Match[]> {
  const lookup = (name: string) => state.scope.lookup(name);
  return Promise.all(
    heredocs.map(async ({ name, expand, content }) => {
      const bytes = Buffer.from(expand ? expandText(content, lookup, escape) : content);
      const mtime = Math.floor(Date.parse(build.created) / 1000);
      return { name: bytesOf(name), node: await spooledFile(build.request.spool, bytes, { mode: 0o644, mtime }) };
    }),
  );
}

function octal(chmod: string): number {
  if (/^[0-7]{1,4}$/.test(chmod)) return Number.parseInt(chmod, 8);
  throw new BuildProblem(`--chmod=${chmod}: it takes octal digits such as 755`);
}

const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');
