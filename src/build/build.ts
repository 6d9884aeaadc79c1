import { NestError } from '../errors.ts';
import type { Assembly, Image, LayerBlob } from '../images/images.ts';
import type { TreeNode } from './file-tree.ts';
import type { Spool } from './spool.ts';
import { EMPTY_CONFIG, written } from './config.ts';
import { parseDockerfile, parseOne } from './dockerfile/parse.ts';
import type { Instruction } from './dockerfile/instruction.ts';
import { chainKey } from './keys.ts';
import { openScope, PROXY_ARGS } from './scope.ts';
import { planStages, type Plan, type Stage } from './stages.ts';
import { layeredFiles, type StageState } from './state.ts';
import { runInstruction } from './steps.ts';

export interface BuildRequest {
  /** Text of the Dockerfile, and its name for messages. */
  dockerfile: string;
  fileName: string;
  context: TreeNode;
  spool: Spool;
  buildArgs: Map<string, string>;
  /** Name or number of a stage; null is the last. */
  target: string | null;
  noCache: boolean;
  /** Labels of the image. */
  labels: Record<string, string>;
  /** Normalized names. */
  references: string[];
  /** By id. */
  secrets: Map<string, Buffer>;
  /** Milliseconds since 1970. */
  now: number;
}

/** A command that runs on a stage's files. */
export interface RunRequest {
  layers: LayerBlob[];
  argv: string[];
  env: string[];
  cwd: string;
  user: string;
  /** The tar of a layer that is there while it runs, and no part of the result. */
  extra: AsyncIterable<Buffer> | undefined;
  onOutput: (output: Buffer) => void;
}

/** What a build has done for it. */
export interface BuildTools {
  assembly: Assembly;
  findBase: (name: string) => Promise<Image>;
  /** Runs a command elsewhere. @returns the layer of what it changed. @throws NestError `exec-failed` */
  run: (request: RunRequest) => Promise<AsyncIterable<Buffer>>;
  report: BuildReport;
  signal: AbortSignal;
}

export interface BuildReport {
  step(
    step: { number: number; total: number; text: string },
    work: (output: (bytes: Buffer) => void) => Promise<'cached' | 'done'>,
  ): Promise<void>;
  warn(message: string): void;
}

/** What all steps of one build share. */
export interface Build {
  request: BuildRequest;
  tools: BuildTools;
  plan: Plan;
  /** Finished stages, by index. */
  stages: Map<number, StageState>;
  /** Seconds since 1970: no file of a new layer is newer. */
  newest: number;
  /** RFC 3339, of new steps. */
  created: string;
}

/**
 * Builds the image of a Dockerfile. Nothing of it is executed here, and none of its files is unpacked: files are data
 * (file-tree.ts), commands run where `tools.run` has them run.
 *
 * @returns the image's id
 * @throws NestError `invalid-input`, `unsupported`, `exec-failed`, `image-not-found`, `image-invalid`, `no-room`
 */
export async function buildImage(request: BuildRequest, tools: BuildTools): Promise<string> {
  const { fileName, buildArgs, target } = request;
  const dockerfile = parseDockerfile(request.dockerfile, fileName);
  const plan = planStages(dockerfile, fileName, { target, buildArgs });
  const epoch = sourceDate(buildArgs);
  const build: Build = {
    request,
    tools,
    plan,
    stages: new Map(),
    newest: epoch ?? Number.MAX_SAFE_INTEGER,
    created: new Date(epoch === undefined ? request.now : epoch * 1000).toISOString(),
  };
  const counter = { number: 0, total: plan.stages.reduce((sum, { instructions }) => sum + 1 + instructions.length, 0) };
  for (const stage of plan.stages)
    build.stages.set(stage.index, await buildStage(build, stage, counter, dockerfile.escape));
  warnUnused(build, dockerfile.instructions);
  const last = build.stages.get(plan.stages.at(-1)?.index ?? 0);
  if (last === undefined) throw new Error('a plan without stages');
  return finish(build, last);
}

async function buildStage(
  build: Build,
  stage: Stage,
  counter: { number: number; total: number },
  escape: string,
): Promise<StageState> {
  const { report, signal } = build.tools;
  const opened: { state?: StageState } = {};
  await report.step({ number: ++counter.number, total: counter.total, text: stage.from.text }, async () => {
    opened.state = await openStage(build, stage);
    return 'done';
  });
  const { state } = opened;
  if (state === undefined) throw new Error('a stage that did not begin');
  const triggers = state.config.OnBuild.map((text) => parseOne(text, `ONBUILD of ${stage.from.image}`));
  state.config = { ...state.config, OnBuild: [] };
  for (const instruction of triggers) await runInstruction(build, stage, state, instruction, escape, () => undefined);
  for (const instruction of stage.instructions) {
    signal.throwIfAborted();
    const { text } = instruction;
    await report.step({ number: ++counter.number, total: counter.total, text }, (output) =>
      runInstruction(build, stage, state, instruction, escape, output),
    );
  }
  return state;
}

async function openStage(build: Build, stage: Stage): Promise<StageState> {
  const { request, tools, plan } = build;
  const root = { scratch: 'scratch', epoch: build.newest };
  const begin = async (): Promise<Omit<StageState, 'scope' | 'files' | 'cached' | 'commandSet'>> => {
    if (stage.base.kind === 'stage') {
      const base = build.stages.get(stage.base.index);
      if (base === undefined) throw new Error('a stage before its base');
      return { ...base, history: [...base.history], layers: [...base.layers] };
    }
    if (stage.base.kind === 'scratch')
      return {
        config: EMPTY_CONFIG,
        author: '',
        layers: [],
        history: [],
        key: chainKey('', root),
        created: build.created,
      };
    const image = await tools.findBase(stage.base.name);
    const layers = tools.assembly.layersOf(image.id);
    if (layers === undefined) throw new NestError('image-not-found', `No such image: ${stage.base.name}`);
    const history = image.history.map(({ created, createdBy, size }) => ({
      created,
      created_by: createdBy,
      ...(size === 0 && { empty_layer: true as const }),
    }));
    const { config, author, created } = image;
    return { config, author, layers: [...layers], history, key: chainKey('', root, image.id), created };
  };
  const base = await begin();
  const before = stage.base.kind === 'stage' ? build.stages.get(stage.base.index) : undefined;
  const state: StageState = {
    ...base,
    cached: before?.cached ?? !request.noCache,
    commandSet: false,
    scope: openScope(() => state.config.Env, request.buildArgs, plan.globalArgs),
    files: layeredFiles((layer) => tools.assembly.openLayer(layer), request.spool),
  };
  return state;
}

async function finish({ request, tools }: Build, state: StageState): Promise<string> {
  const { config, author, created, history, layers } = state;
  const labelled = { ...config, Labels: { ...config.Labels, ...request.labels } };
  const document = {
    created,
    ...(author !== '' && { author }),
    architecture: 'amd64',
    os: 'linux',
    config: written(labelled),
    history,
  };
  return tools.assembly.addImage(document, layers, request.references);
}

/** https://reproducible-builds.org/specs/source-date-epoch/ @returns seconds since 1970 */
function sourceDate(buildArgs: Map<string, string>): number | undefined {
  const value = buildArgs.get(SOURCE_DATE);
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,11}$/.test(value)) return Number(value);
  throw new NestError('invalid-input', `${SOURCE_DATE}=${value.slice(0, 40)}: not seconds since 1970`);
}

function warnUnused({ request, tools }: Build, instructions: Instruction[]): void {
  const declared = new Set(
    instructions.flatMap((each) => (each.kind === 'arg' ? each.args.map(({ name }) => name) : [])),
  );
  const unused = [...request.buildArgs.keys()].filter(
    (name) => !declared.has(name) && !PROXY_ARGS.includes(name) && name !== SOURCE_DATE,
  );
  if (unused.length > 0) tools.report.warn(`build arguments that no ARG declares: ${unused.join(', ')}`);
}

const SOURCE_DATE = 'SOURCE_DATE_EPOCH';
