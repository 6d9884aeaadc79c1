import { connect, type Socket } from 'node:net';
import type { Clock } from './clock.ts';
import { errnoOf, report, RequestError } from './errors.ts';
import { lineSplitter } from './lines.ts';
import {
  type ContainerInit,
  type ExecInit,
  type Exit,
  type FromZygote,
  LINE_LIMIT,
  type Outputs,
  type Sandbox,
  type TerminalEnd,
  type ToZygote,
  type ZygoteProcess,
} from './zygote/protocol.ts';

/** What the agent asks of the zygote. Each call fails with a ZygoteError, or with a RequestError while it is away. */
export interface Zygote {
  /**
   * Resolves once the zygote is there and what it has was told; fails when it does not come. To be awaited outside any
   * container's turn: what it tells is taken in there.
   */
  ready(): Promise<void>;
  /** See protocol.ts; nothing happens while the zygote is away. */
  prepare(cgroup: string, sandbox: Sandbox, outputs: Outputs): void;
  /** Resolves once execve succeeded. */
  start(id: string, init: ContainerInit): Promise<Started>;
  exec(id: string, init: ExecInit): Promise<Started>;
  /** Fails with ESRCH when the process has ended; signal 0 only asks. */
  signal(id: string, signal: number): Promise<void>;
  forget(id: string): void;
}

/** What the zygote tells by itself. */
export interface ZygoteListener {
  /** After each connect: all that it knows. */
  processes(processes: ZygoteProcess[]): void;
  /** A start or exec that an earlier agent asked for. */
  started(process: Omit<ZygoteProcess, 'exit'>): void;
  exited(id: string, exit: Exit): void;
}

/** A request that failed in the zygote and left nothing behind. */
export class ZygoteError extends Error {
  readonly operation: string;
  readonly object: string;
  readonly errno: string;

  constructor({ operation, object, errno }: { operation: string; object: string; errno: string }) {
    super(`${operation} \`${object}\`: ${errno}`);
    this.name = 'ZygoteError';
    this.operation = operation;
    this.object = object;
    this.errno = errno;
  }
}

/** There is none, or it ended in the middle: whatever was asked for has not happened, or ends with it. */
export class ZygoteAway extends RequestError {
  constructor(how: string) {
    super(500, `ask the zygote: ${how}`);
  }
}

export interface Started {
  pid: number;
  terminal: TerminalEnd | null;
}

type Reply = PromiseWithResolvers<Started>;

/** Connects, again and again while the zygote is away: it starts at the same time as the agent and outlives it. */
export function connectZygote(path: string, clock: Clock, listener: ZygoteListener): Zygote & { close(): void } {
  const pending = new Map<string, Reply[]>();
  let socket: Socket | undefined;
  let known: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
  let cancelRetry = () => {};
  let closed = false;

  const open = () => {
    const opened = connect(path);
    opened.setEncoding('utf8');
    opened.on('connect', () => (socket = opened));
    opened.on(
      'data',
      lineSplitter((line) => receive(JSON.parse(line) as FromZygote)),
    );
    opened.on('error', (error) => {
      if (!ABSENT.has(errnoOf(error) ?? '')) report(`connect to zygote \`${path}\``, error);
    });
    opened.on('close', () => {
      socket = undefined;
      known ??= Promise.withResolvers();
      for (const reply of [...pending.values()].flat()) reply.reject(new ZygoteAway('it ended before it answered'));
      pending.clear();
      if (!closed) cancelRetry = clock.after(RETRY, open);
    });
  };

  const receive = (message: FromZygote) => {
    switch (message.type) {
      case 'processes': {
        listener.processes(message.processes);
        known?.resolve();
        known = undefined;
        return;
      }
      case 'exited': {
        listener.exited(message.id, message.exit);
        return;
      }
      case 'started': {
        const reply = take(`start ${message.id}`) ?? take(`exec ${message.id}`);
        const { id, pid, cgroup, terminal } = message;
        if (reply === undefined) listener.started({ id, pid, cgroup, terminal });
        else reply.resolve({ pid, terminal });
        return;
      }
      case 'signalled':
        return take(`signal ${message.id}`)?.resolve({ pid: 0, terminal: null });
      case 'failed': {
        const reply = take(`${message.request} ${message.id}`);
        // A start that an earlier agent asked for was among the processes: it has ended.
        if (reply === undefined) {
          listener.exited(message.id, { ...NEVER_RAN, at: clock.now() });
          return;
        }
        reply.reject(new ZygoteError(message));
        return;
      }
    }
  };

  /** Replies to requests of one kind about one process come in the order of the requests. */
  const take = (key: string): Reply | undefined => {
    const replies = pending.get(key);
    const reply = replies?.shift();
    if (replies?.length === 0) pending.delete(key);
    return reply;
  };

  const ask = (message: Exclude<ToZygote, { type: 'forget' | 'prepare' }>): Promise<Started> => {
    if (socket === undefined) return Promise.reject(away());
    const line = `${JSON.stringify(message)}\n`;
    if (Buffer.byteLength(line) > LINE_LIMIT)
      return Promise.reject(new RequestError(400, `${message.type}: argument list too long`, { errno: 'E2BIG' }));
    const reply = Promise.withResolvers<Started>();
    const key = `${message.type} ${message.id}`;
    pending.set(key, [...(pending.get(key) ?? []), reply]);
    socket.write(line);
    return reply.promise;
  };

  const tell = (message: ToZygote) => void socket?.write(`${JSON.stringify(message)}\n`);

  open();
  return {
    async ready() {
      if (known === undefined) return;
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(PATIENCE, () => late.reject(away()));
      await Promise.race([known.promise, late.promise]).finally(cancel);
    },
    start: (id, init) => ask({ type: 'start', id, init }),
    exec: (id, init) => ask({ type: 'exec', id, init }),
    signal: (id, signal) => ask({ type: 'signal', id, signal }).then(() => {}),
    prepare: (id, sandbox, outputs) => tell({ type: 'prepare', id, sandbox, outputs }),
    forget: (id) => tell({ type: 'forget', id }),
    close() {
      closed = true;
      cancelRetry();
      socket?.destroy();
    },
  };
}

const away = () => new ZygoteAway('it is away, try again');

/** Not listening yet. */
const ABSENT = new Set(['ENOENT', 'ECONNREFUSED']);

/** As shells tell that a command could not be run. */
const NEVER_RAN = { code: 127, signal: null };

/** Milliseconds in which a zygote that has ended is there again. */
const PATIENCE = 10_000;

/** Milliseconds between two attempts; nothing runs while connected. */
const RETRY = 50;
