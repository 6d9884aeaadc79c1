import { configure, EMPTY_CONFIG, isConfigInstruction, written } from '../../build/config.ts';
import { expandWord } from '../../build/dockerfile/expand.ts';
import { parseOne } from '../../build/dockerfile/parse.ts';
import { BuildProblem } from '../../build/problem.ts';
import { LABELS } from '../../api.ts';
import { NestError } from '../../errors.ts';
import type { Image, ImageConfig } from '../../images/images.ts';
import { silent } from '../../progress.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { containerLayer } from './files.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { isRunning } from './stats.ts';

export interface CommitRequest {
  /** Normalized names. */
  references: string[];
  author: string;
  comment: string;
  /** Instructions of a Dockerfile that change the configuration: `CMD ["web"]`. */
  changes: string[];
  /** Whether a container that runs stands still meanwhile. */
  pause: boolean;
}

/**
 * Makes an image of a container: its image's layers and one with what it wrote.
 *
 * @returns the image's id
 */
export async function commitContainer(
  ctx: Context,
  container: Container,
  { references, author, comment, changes, pause }: CommitRequest,
  signal: AbortSignal,
): Promise<string> {
  const { record } = container;
  const config = changes.reduce(change, configOf(container, await ctx.images.find(record.image.id)));
  await using assembly = await ctx.images.assemble();
  const base = await ctx.images.find(record.image.id);
  const below = base && assembly.layersOf(base.id);
  if (base === undefined || below === undefined)
    throw new NestError(
      'image-not-found',
      `commit container \`${record.name}\`: its image ${record.image.reference} is gone`,
    );
  const layer = await standingStill(ctx, pause ? container : undefined, async () =>
    assembly.addLayer(await containerLayer(ctx, container, signal), silent, signal),
  );
  const created = new Date().toISOString();
  const history = base.history.map((step) => ({
    created: step.created,
    created_by: step.createdBy,
    ...(step.size === 0 && { empty_layer: true }),
  }));
  const document = {
    created,
    ...(author !== '' && { author }),
    architecture: base.architecture,
    os: 'linux',
    config: written(config),
    history: [...history, { created, created_by: record.spec.argv.join(' '), ...(comment !== '' && { comment }) }],
  };
  const id = await assembly.addImage(document, [...below, layer], references);
  ctx.events.emit({ type: 'image', action: 'commit', id, attributes: { name: references[0] ?? id } });
  return id;
}

/** One that does not run, or is paused already, stays as it is. An engine that is killed meanwhile leaves it paused, as Docker's does. */
async function standingStill<T>(ctx: Context, container: Container | undefined, work: () => Promise<T>): Promise<T> {
  if (container === undefined || !isRunning(container) || container.state.paused) return work();
  await pauseContainer(ctx, container);
  try {
    return await work();
  } finally {
    const now = ctx.state.containers.get(container.record.id);
    if (now !== undefined && isRunning(now) && now.state.paused) await unpauseContainer(ctx, now);
  }
}

/** The image's configuration under the container's. What only this container is called stays with it. */
function configOf({ record }: Container, image: Image | undefined): ImageConfig {
  const { spec, labels, exposed, entrypoint, command } = record;
  return {
    ...(image?.config ?? EMPTY_CONFIG),
    User: spec.user,
    Env: spec.env.filter((entry) => !entry.startsWith('HOSTNAME=')),
    WorkingDir: spec.cwd,
    Entrypoint: entrypoint,
    Cmd: command,
    StopSignal: spec.stopSignal,
    ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])),
    Labels: Object.fromEntries(Object.entries(labels).filter(([name]) => name !== LABELS.zone)),
  };
}

function change(config: ImageConfig, text: string): ImageConfig {
  const origin = `change \`${text}\``;
  const instruction = parseOne(text, origin);
  const fail = (why: string, cause?: unknown) => new NestError('invalid-input', `${origin}: ${why}`, { cause });
  if (instruction.kind === 'workdir') return { ...config, WorkingDir: instruction.word };
  if (!isConfigInstruction(instruction)) throw fail('only what changes the configuration can be given');
  const lookup = (name: string) => config.Env.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  try {
    return configure(config, instruction, (word) => expandWord(word, lookup, '\\'), true);
  } catch (error) {
    throw error instanceof BuildProblem ? fail(error.message, error) : error;
  }
}
