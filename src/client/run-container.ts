import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import type { Engine } from './connect.ts';
import { removeLeftover } from './create-container.ts';
import { demultiplex } from './demultiplex.ts';
import { parseReply, request } from './http.ts';
import { sendStdin, type Sinks } from './output.ts';
import { forwardSignals } from './signals.ts';
import { joinTerminal } from './terminal/raw-terminal.ts';

export interface ForegroundOptions {
  interactive: boolean;
  /** The container has a terminal: it becomes this process's. */
  tty: boolean;
  /** The engine removes the container when it ends. */
  remove: boolean;
  sinks: Sinks;
  /** Ends it before the start; later, signals go to the container. */
  signal: AbortSignal;
  /** Called when the container runs, before its output is copied. */
  onStarted: () => Promise<void>;
}

/**
 * Starts a container and stays with it until it ends; returns its exit status. As in Docker's CLI the order is attach,
 * wait, start, each after the other was answered, so that neither output nor end can be missed. Who detaches from a
 * terminal leaves the container running: null.
 */
export async function runInForeground(engine: Engine, id: string, options: ForegroundOptions): Promise<number | null> {
  const { stream, ended } = await startAttached(engine, id, options).catch(async (error: unknown) => {
    // Who has cancelled it knows of no container. Why it did not start is what the user must see, also when this fails.
    if (options.remove || options.signal.aborted) await removeLeftover(engine, id).catch(() => undefined);
    throw error;
  });
  using running = new DisposableStack();
  // With a terminal Ctrl+C is a key like others.
  if (!options.tty) running.use(forwardSignals(engine, id, options.signal));
  await options.onStarted();
  if (options.tty) {
    const resize = resizer(engine, `/containers/${id}`);
    const how = await joinTerminal(stream, { interactive: options.interactive, resize });
    stream.destroy();
    if (how === 'detached') {
      ended.leave();
      return null;
    }
  } else {
    if (options.interactive) sendStdin(stream);
    await demultiplex(stream, options.sinks);
    stream.destroy();
  }
  return await ended.status();
}

async function startAttached(engine: Engine, id: string, { interactive, remove, signal }: ForegroundOptions) {
  const stream = await attach(engine, id, interactive);
  try {
    const ended = await beginWait(engine, id, remove ? 'removed' : 'next-exit');
    signal.throwIfAborted();
    await startContainer(engine, id);
    return { stream, ended };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

export async function startContainer(engine: Engine, id: string): Promise<void> {
  await engine.docker((docker) => docker.getContainer(id).start());
}

async function attach(engine: Engine, id: string, interactive: boolean): Promise<Duplex> {
  const options = { stream: true, stdin: interactive, stdout: true, stderr: true, hijack: true };
  const stream = await engine.docker((docker) => docker.getContainer(id).attach(options));
  if (stream instanceof Duplex) return stream;
  throw new NestError('internal', `attach to \`${id}\`: the engine did not upgrade the connection`);
}

/**
 * Resolves when the engine has answered with headers: from then on a start cannot be missed. Not through dockerode,
 * which tells of the reply only when it is complete.
 */
async function beginWait(
  engine: Engine,
  id: string,
  condition: string,
): Promise<{ status: () => Promise<number>; leave: () => void }> {
  const origin = { method: 'POST', path: `/containers/${id}/wait?condition=${condition}` } as const;
  const reply = await request(engine.paths.engineSocket, origin);
  return {
    status: async () => parseReply(await text(reply), WaitReply, origin).StatusCode,
    leave: () => void reply.destroy(),
  };
}

/** Tells the engine how large a terminal is. @param whose `/containers/ID` or `/exec/ID` */
export function resizer(engine: Engine, whose: string) {
  return async ({ rows, columns }: { rows: number; columns: number }): Promise<void> => {
    const path = `${whose}/resize?h=${rows}&w=${columns}`;
    (await request(engine.paths.engineSocket, { method: 'POST', path })).resume();
  };
}

const WaitReply = v.object({ StatusCode: v.number() });
