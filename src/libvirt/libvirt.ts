/**
 * libvirt for the engine: typed, asynchronous, never on the engine's event loop. Calls run one after another on a thread
 * that owns the connection (serve.ts); events come from a second one (event-loop.ts).
 */
import { once } from 'node:events';
import { NestError } from '../errors.ts';
import { watchDomains, type Watcher } from './events.ts';
import { toNestError } from './failure.ts';
import { prepareLibrary, type Connection } from './ffi.ts';
import { operations, type Operations } from './operations.ts';
import type { OperationName, Reply, Request } from './serve.ts';
import { startThread } from './thread.ts';

export type { DomainSummary } from './operations.ts';
export type { LifecycleEvent, Watcher } from './events.ts';

/** Each operation without its connection. They fail with NestError `libvirt`, or `libvirt-unavailable` when it is away. */
type Calls = {
  [Name in OperationName]: (
    ...parameters: WithoutConnection<Operations[Name]>
  ) => Promise<ReturnType<Operations[Name]>>;
};
type WithoutConnection<F> = F extends (connection: Connection, ...parameters: infer P) => unknown ? P : never;

export interface Libvirt extends Calls {
  readonly uri: string;
  /** On a thread and a connection of their own: a QEMU that does not answer holds up the other calls, not the end of it. */
  urgent: Pick<Calls, 'destroy' | 'cpuTime'>;
  watch(watcher: Watcher): { close(): void };
  /** Ends the calling thread after what was asked before. Watches have their own life. */
  close(): Promise<void>;
}

/**
 * @param uri e.g. qemu:///system, qemu:///session, test:///default (https://libvirt.org/uri.html).
 * Throws `libvirt-unavailable` when there is no connection to be had now; one that is lost later comes back by itself.
 */
export async function openLibvirt(uri: string): Promise<Libvirt> {
  prepareLibrary();
  const caller = startCaller(uri);
  try {
    await caller.call('connect', []);
  } catch (error) {
    await caller.close();
    throw error;
  }
  let urgent: Caller | undefined;
  let closed = false;
  // What is asked for after the end gets the error that a closed connection gives.
  const hurry = () => (urgent ??= closed ? caller : startCaller(uri));
  return {
    ...calls(() => caller),
    uri,
    urgent: calls(hurry),
    watch: (watcher) => watchDomains(uri, watcher),
    async close() {
      closed = true;
      await Promise.all([caller.close(), urgent?.close()]);
    },
  };
}

function calls(caller: () => Caller): Calls {
  const names = Object.keys(operations) as OperationName[];
  return Object.fromEntries(
    names.map((name) => [name, (...parameters: unknown[]) => caller().call(name, parameters)]),
  ) as unknown as Calls;
}

interface Caller {
  call(operation: OperationName | 'connect', parameters: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

function startCaller(uri: string): Caller {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const thread = startThread({ role: 'calls', uri });
  const ended = once(thread, 'exit');
  let lastId = 0;
  let closed = false;

  thread.on('message', (reply: Reply) => {
    const promise = waiting.get(reply.id);
    waiting.delete(reply.id);
    // Only what somebody waits for keeps the process alive.
    if (waiting.size === 0) thread.unref();
    if ('failure' in reply) promise?.reject(toNestError(reply.failure));
    else promise?.resolve(reply.value);
  });
  const fail = (error?: unknown): void => {
    closed = true;
    const lost = new NestError('libvirt-unavailable', `talk to libvirt \`${uri}\`: its thread has ended`, {
      cause: error,
    });
    for (const promise of waiting.values()) promise.reject(lost);
    waiting.clear();
  };
  thread.on('error', fail);
  thread.on('exit', () => fail());

  return {
    async call(operation, parameters) {
      if (closed) throw new NestError('libvirt-unavailable', `talk to libvirt \`${uri}\`: the connection is closed`);
      const promise = Promise.withResolvers<unknown>();
      const id = ++lastId;
      waiting.set(id, promise);
      thread.ref();
      thread.postMessage({ id, operation, parameters } satisfies Request);
      return await promise.promise;
    },
    async close() {
      if (!closed) {
        closed = true;
        thread.ref();
        thread.postMessage('close' satisfies Request);
      }
      await ended;
    },
  };
}
