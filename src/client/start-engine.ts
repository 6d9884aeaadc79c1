import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NestError } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { answers } from './ping.ts';

/** What to run as the engine, and how long its socket may take. */
export interface EngineProgram {
  command: string;
  args: string[];
  /** Milliseconds. */
  timeLimit: number;
}

/**
 * Starts an engine in a session of its own and returns when its socket answers. Of two started at once one ends with
 * status 3 (it found the other's lock): its client waits for the other's socket.
 */
export async function startEngine(
  paths: Paths,
  { program = engineProgram(), signal }: { program?: EngineProgram; signal?: AbortSignal } = {},
): Promise<void> {
  const { child, logStart } = await spawnEngine(paths, program);
  const deadline = Date.now() + program.timeLimit;
  while (!(await answers(paths.engineSocket))) {
    if (hasFailed(child)) throw await startError(paths, logStart, `it ended with ${ending(child)}`);
    if (Date.now() > deadline)
      throw await startError(paths, logStart, `its socket did not answer within ${program.timeLimit / 1000} s`);
    // Waits for the engine's socket: nothing on the host tells of a socket in a folder that may not be there yet.
    await delay(POLL_INTERVAL, undefined, signal ? { signal } : {});
  }
}

async function spawnEngine(paths: Paths, { command, args }: EngineProgram): Promise<Spawned> {
  try {
    await mkdir(path.dirname(paths.engineLog), { recursive: true });
    await using log = await open(paths.engineLog, 'a', 0o600);
    const { size } = await log.stat();
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
    await once(child, 'spawn');
    child.unref();
    return { child, logStart: size };
  } catch (cause) {
    throw new NestError('engine-unavailable', `start the engine: ${(cause as Error).message}`, {
      hint: 'Run `nest doctor`.',
      cause,
    });
  }
}

function hasFailed(child: ChildProcess): boolean {
  return child.signalCode !== null || (child.exitCode !== null && child.exitCode !== ANOTHER_ENGINE_RUNS);
}

function ending(child: ChildProcess): string {
  return child.signalCode ?? `status ${child.exitCode ?? 0}`;
}

async function startError(paths: Paths, logStart: number, reason: string): Promise<NestError> {
  const log = (await readFile(paths.engineLog)).subarray(logStart).toString();
  const tail = log.trimEnd().split('\n').slice(-LOG_LINES).join('\n  ');
  return new NestError('engine-unavailable', `start the engine: ${reason}${tail && `; its log ends:\n  ${tail}`}`, {
    hint: `Run \`nest doctor\`; the whole log is ${paths.engineLog}.`,
  });
}

interface Spawned {
  child: ChildProcess;
  /** Length of the log before this start, bytes. */
  logStart: number;
}

function engineProgram(): EngineProgram {
  const main = fileURLToPath(new URL(`../engine/main${path.extname(import.meta.url)}`, import.meta.url));
  return { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', main], timeLimit: 60_000 };
}

/** The engine's exit status when another one holds the lock. */
const ANOTHER_ENGINE_RUNS = 3;
const POLL_INTERVAL = 25;
const LOG_LINES = 10;
