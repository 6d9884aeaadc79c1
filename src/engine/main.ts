/**
 * The engine's program, started on demand by the CLI: `node --disable-warning=ExperimentalWarning main.js`, with stdout and
 * stderr on the engine's log. Exit status 3: another engine serves this host.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { asNestError, NestError } from '../errors.ts';
import {
  addGuestImage,
  buildGuestImage,
  findGuestImage,
  listGuestImages,
  OWN_GUEST_IMAGE,
} from '../guest-image/guest-image.ts';
import { removeStockImage } from '../guest-image/stock-image.ts';
import { projectRoot } from '../guest-image/project-root.ts';
import { openImages } from '../images/images.ts';
import { nestPaths } from '../paths.ts';
import { openGuests } from '../vm/guests.ts';
import { hostMemoryAvailable } from '../vm/host-memory.ts';
import { startEngine, type Engine, type EngineParts } from './engine.ts';
import { boundLog, log } from './log.ts';
import { startOrJoin } from './start-or-join.ts';

async function main(): Promise<void> {
  const paths = nestPaths();
  const uri = process.env['NEST_LIBVIRT_URI'] ?? (process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session');
  const bootFiles = () => findGuestImage(paths, OWN_GUEST_IMAGE);
  const stopped = Promise.withResolvers<undefined>();
  const stop = () => stopped.resolve(undefined);
  const parts: EngineParts = {
    paths,
    version: version(),
    uri,
    openImages: () => openImages(paths),
    guestImages: {
      build: (recipe, force, progress, signal) => buildGuestImage(paths, recipe, { force, progress, signal }),
      add: (name, content, progress, signal) => addGuestImage(paths, name, content, { progress, signal }),
      remove: (name) => removeStockImage(paths, name),
      list: () => listGuestImages(paths),
    },
    connect: (instance) => openGuests({ paths, uri, instance, bootFiles, log, pool: poolSize() }),
    host: { memoryAvailable: hostMemoryAvailable, cpus: cpus().length },
    idleMilliseconds: Number(process.env['NEST_IDLE_GUEST_SECONDS'] ?? IDLE_SECONDS) * 1000,
    log,
    onStopRequest: stop,
  };
  const engine = await startOrJoin(paths.engineSocket, () => startEngine(parts));
  if (engine === undefined) {
    log(`another engine answers on \`${paths.engineSocket}\``);
    process.exit(ANOTHER_ENGINE);
  }
  await boundLog(paths.engineLog);
  log(`engine ${process.pid} answers on \`${paths.engineSocket}\`, libvirt is \`${uri}\``);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  await stopped.promise;
  await endEngine(engine);
}

async function endEngine(engine: Engine): Promise<void> {
  await engine.close();
  log(`engine ${process.pid} ended; guests and containers go on`);
  process.exit(0);
}

/** How many clones of each shape in use are kept ready. */
function poolSize(): number {
  const size = Number(process.env['NEST_POOL'] ?? 0);
  if (Number.isInteger(size) && size >= 0 && size <= POOL_LIMIT) return size;
  throw new NestError('invalid-input', `read \`NEST_POOL\`: a whole number from 0 to ${POOL_LIMIT} is wanted`);
}

function version(): string {
  const text = readFileSync(path.join(projectRoot(), 'package.json'), 'utf8');
  return v.parse(v.object({ version: v.string() }), JSON.parse(text)).version;
}

const POOL_LIMIT = 64;
/** An empty guest keeps what it has touched, and the next one is a clone away. */
const IDLE_SECONDS = 60;
const ANOTHER_ENGINE = 3;

// Last: the constants above must have their values before it runs.
await main().catch((error: unknown) => {
  const { message, hint } = asNestError(error);
  log(hint === undefined ? message : `${message} (${hint})`);
  process.exit(1);
});
