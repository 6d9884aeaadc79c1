import path from 'node:path';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { NestError } from '../errors.ts';
import { silent } from '../progress.ts';
import type { Build } from './build.ts';
import { configure, isConfigInstruction } from './config.ts';
import { copyFiles, copyKey } from './copy-step.ts';
import { expandWord } from './dockerfile/expand.ts';
import type { Instruction } from './dockerfile/instruction.ts';
import { directoryEntry, resolve } from './file-tree.ts';
import { chainKey } from './keys.ts';
import { placeCopies } from './copy.ts';
import { BuildProblem } from './problem.ts';
import { runCommand, runKey } from './run-step.ts';
import type { Stage } from './stages.ts';
import type { StageState } from './state.ts';
import { writeLayer } from './write-layer.ts';

/** A step before it is made: what it is known by, and how its layer comes to be; undefined when it changes no file. */
interface Step {
  key: string;
  layer?: () => Promise<AsyncIterable<Buffer> | undefined>;
}

/**
 * Does one instruction, or takes its result from the cache.
 *
 * @throws NestError that names the line
 */
export async function runInstruction(
  build: Build,
  stage: Stage,
  state: StageState,
  instruction: Instruction,
  escape: string,
  output: (bytes: Buffer) => void,
): Promise<'cached' | 'done'> {
  try {
    const step = await prepare({ build, stage, state, escape, output }, instruction);
    return await take(build, state, instruction.text, step);
  } catch (error) {
    throw located(error, build.request.fileName, instruction);
  }
}

export interface StepContext {
  build: Build;
  stage: Stage;
  state: StageState;
  escape: string;
  output: (bytes: Buffer) => void;
}

async function prepare(context: StepContext, instruction: Instruction): Promise<Step> {
  const { build, state, escape } = context;
  const expand = (word: string) => expandWord(word, (name) => state.scope.lookup(name), escape);
  if (isConfigInstruction(instruction)) {
    state.config = configure(state.config, instruction, expand, state.commandSet);
    state.commandSet ||= instruction.kind === 'cmd';
    return { key: chainKey(state.key, state.config) };
  }
  switch (instruction.kind) {
    case 'arg':
      for (const { name, value } of instruction.args)
        state.scope.declare(name, value === null ? undefined : expand(value));
      return { key: chainKey(state.key, 'arg', instruction.text) };
    case 'maintainer':
      state.author = instruction.author;
      return { key: chainKey(state.key, 'author', instruction.author) };
    case 'workdir': {
      const folder = path.posix.resolve('/', state.config.WorkingDir, expand(instruction.word));
      state.config = { ...state.config, WorkingDir: folder };
      return { key: chainKey(state.key, 'workdir', folder), layer: () => makeFolder(build, state, folder) };
    }
    case 'copy': {
      const copy = await copyKey(context, instruction, expand);
      return { key: copy.key, layer: () => copyFiles(context, copy) };
    }
    case 'run':
      return { key: runKey(context, instruction), layer: () => runCommand(context, instruction) };
    case 'from':
      throw new Error('FROM is no step of a stage');
  }
}

/** From the cache as long as all before it was; else it is made, and kept there once its layer is whole. */
async function take(
  { tools, created }: Build,
  state: StageState,
  text: string,
  { key, layer }: Step,
): Promise<'cached' | 'done'> {
  const { assembly, signal } = tools;
  const known = state.cached ? await assembly.cached(key) : undefined;
  if (known === undefined) {
    state.cached = false;
    const tar = await layer?.();
    const made = tar === undefined ? null : await assembly.addLayer(tar, silent, signal);
    await assembly.remember(key, { created, layer: made });
    extend(state, text, key, { created, layer: made });
    return 'done';
  }
  extend(state, text, key, known);
  return 'cached';
}

function extend(
  state: StageState,
  text: string,
  key: string,
  { created, layer }: { created: string; layer: StageState['layers'][number] | null },
): void {
  if (layer !== null) state.layers.push(layer);
  state.history.push({ created, created_by: text, ...(layer === null && { empty_layer: true as const }) });
  state.key = key;
  state.created = created;
}

async function makeFolder(build: Build, state: StageState, folder: string): Promise<AsyncIterable<Buffer> | undefined> {
  const root = await state.files.tree(state.layers);
  const bytes = Buffer.from(folder, 'utf8').toString('latin1');
  const { node } = resolve(root, bytes);
  if (node?.children !== undefined) return undefined;
  if (node !== undefined) throw new BuildProblem(`\`${folder}\` is no directory`);
  const now = Math.floor(Date.parse(build.created) / 1000);
  const made = { entry: directoryEntry({ mtime: now }), children: new Map() };
  const options = { target: bytes, owner: undefined, chown: false, mode: undefined, now };
  return writeLayer(placeCopies(root, [{ name: '', node: made }], options), build.newest);
}

function located(error: unknown, fileName: string, { line, text }: Instruction): unknown {
  const where = `${fileName}:${line}: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`;
  if (error instanceof BuildProblem || error instanceof MalformedTar)
    return new NestError('invalid-input', `${where}: ${error.message}`, { cause: error });
  if (!(error instanceof NestError) || error.code === 'cancelled') return error;
  return new NestError(error.code, `${where}: ${error.message}`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}

/** Characters of an instruction in an error. */
const SHOWN = 120;
