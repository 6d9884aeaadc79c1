/**
 * An agent without a kernel: the API of guest-agent/api.ts over HTTP/2 on a unix socket, with containers that are what
 * their argv says: `echo TEXT`, `cat` (stdin to stdout), `sleep` (until stopped), `exit N`, `oom`, `missing` (cannot be
 * started), `junk` (sends what is not a frame). Every published port answers with the bytes it was sent.
 */
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { buffer, json } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';
import type {
  AgentEvent,
  ContainerRecord,
  ContainerProcess,
  ContainerSpec,
  ContainerState,
  ContainerStats,
  ContainerUpdate,
  ExecSpec,
} from '../../guest-agent/api.ts';
import { tarEnd } from '../../guest-agent/tar/writer.ts';

export interface FakeAgent {
  containers: Map<string, ContainerRecord>;
  layers: Set<string>;
  /** Whether containers stood still when what they wrote was read. */
  readPaused: boolean[];
  /** Archives that came for containers, by `ID/PLACE`. */
  copies: Map<string, Buffer>;
  /** Sends an event that the agent would not send by itself. */
  emit(event: AgentEvent): void;
  close(): Promise<void>;
}

interface Running {
  stdin: PassThrough;
  output: PassThrough[];
  log: Buffer[];
}

class Refusal extends Error {
  readonly status: number;
  readonly errno: string | undefined;
  constructor(status: number, message: string, errno?: string) {
    super(message);
    this.status = status;
    this.errno = errno;
  }
}

export async function serveFakeAgent(socketPath: string): Promise<FakeAgent> {
  const containers = new Map<string, ContainerRecord>();
  const running = new Map<string, Running>();
  const execs = new Map<string, { spec: ExecSpec; exitCode: number | null }>();
  const layers = new Set<string>();
  const readPaused: boolean[] = [];
  const copies = new Map<string, Buffer>();
  const watchers = new Set<Http2ServerResponse>();

  const emit = (event: AgentEvent) => {
    for (const watcher of watchers) watcher.write(`${JSON.stringify(event)}\n`);
  };
  const find = (id: string) => {
    const container = containers.get(id);
    if (container === undefined) throw new Refusal(404, `container \`${id}\`: not found`);
    return container;
  };
  const change = (id: string, part: Partial<ContainerState>) => {
    const container = find(id);
    container.state = { ...container.state, ...part };
    emit({ type: 'state', state: container.state });
    return container.state;
  };
  const write = (id: string, bytes: Buffer) => {
    const state = streams(id);
    state.log.push(bytes);
    for (const output of state.output) output.write(bytes);
  };
  const streams = (id: string): Running => {
    const state = running.get(id) ?? { stdin: new PassThrough(), output: [], log: [] };
    running.set(id, state);
    return state;
  };
  const exit = (id: string, exitCode: number, more: Partial<ContainerState> = {}) => {
    if (find(id).state.status !== 'running') return;
    for (const output of streams(id).output.splice(0)) output.end();
    change(id, { status: 'exited', pid: 0, exitCode, finishedAt: Date.now(), ...more });
  };
  const start = (id: string) => {
    const { spec, state } = find(id);
    if (state.status === 'running') return state;
    const [program = '', argument = ''] = spec.argv;
    if (program === 'missing') throw new Refusal(400, `execve \`${program}\`: not there`, 'ENOENT');
    const started = change(id, {
      ...{ status: 'running', pid: 7, startedAt: Date.now() },
      health: spec.health === undefined ? 'none' : 'healthy',
    });
    switch (program) {
      case 'echo':
        write(id, frame(1, `${argument}\n`));
        setImmediate(() => exit(id, 0));
        break;
      case 'both':
        write(id, frame(1, 'out\n'));
        write(id, frame(2, 'err\n'));
        setImmediate(() => exit(id, 0));
        break;
      case 'junk':
        write(id, Buffer.from('no frame at all'));
        break;
      case 'exit':
        setImmediate(() => exit(id, Number(argument)));
        break;
      case 'oom':
        setImmediate(() => exit(id, 137, { oomKilled: true }));
        break;
      case 'cat':
        streams(id).stdin.on('data', (chunk: Buffer) => write(id, frame(1, chunk)));
        streams(id).stdin.on('end', () => exit(id, 0));
        break;
    }
    return started;
  };

  const handle = async (request: Http2ServerRequest, response: Http2ServerResponse): Promise<unknown> => {
    const { pathname, searchParams } = new URL(request.url, 'http://guest');
    const [, , resource, id = '', verb = '', last = ''] = pathname.split('/');
    const reply = (status: number, value?: unknown) =>
      response.writeHead(status).end(value === undefined ? '' : JSON.stringify(value));
    const key = `${request.method} ${resource ?? ''}${id && ' id'}${verb && ` ${verb}`}`;
    if (request.method === 'POST' && resource === 'copies') {
      response.writeHead(200);
      copies.set(`${id}/${verb}`, await buffer(request));
      return response.end('{}');
    }
    switch (key) {
      case 'GET layers':
        reply(200, [...layers]);
        return;
      case 'PUT layers id':
        layers.add(decodeURIComponent(id));
        return reply(200, {});
      case 'POST containers': {
        const spec = (await json(request)) as ContainerSpec;
        const state: ContainerState = { ...NEW, id: spec.id, createdAt: Date.now() };
        containers.set(spec.id, { spec, state });
        emit({ type: 'state', state });
        return reply(201, state);
      }
      case 'POST containers id start':
        return reply(200, start(id));
      case 'POST containers id stop':
        exit(id, 143);
        return reply(200, find(id).state);
      case 'POST containers id kill':
        exit(id, 137);
        return reply(204);
      case 'POST containers id pause':
        return reply(200, change(id, { paused: true }));
      case 'POST containers id resume':
        return reply(200, change(id, { paused: false }));
      case 'POST containers id update': {
        const container = find(id);
        container.spec = { ...container.spec, ...((await json(request)) as ContainerUpdate) } as ContainerSpec;
        return reply(200, container);
      }
      case 'GET containers id layer':
        readPaused.push(find(id).state.paused);
        return response.end(tarEnd());
      case 'GET containers id health':
        return reply(200, {
          status: find(id).state.health,
          failingStreak: 0,
          log: [{ start: 1_700_000_000_000, end: 1_700_000_000_500, exitCode: 0, output: 'fine\n' }],
        });
      case 'GET containers id stats':
        find(id);
        return reply(200, STATS);
      case 'GET containers id processes':
        find(id);
        return reply(200, [PROCESS]);
      case 'DELETE containers id':
        if (containers.get(id)?.state.status === 'running') {
          if (searchParams.get('force') !== '1') throw new Refusal(409, 'it runs');
          exit(id, 137);
        }
        if (containers.delete(id)) emit({ type: 'removed', id });
        running.delete(id);
        return reply(204);
      case 'GET containers id logs': {
        find(id);
        response.writeHead(200);
        for (const bytes of streams(id).log) response.write(bytes);
        if (searchParams.get('follow') !== '1' || find(id).state.status !== 'running') return response.end();
        streams(id).output.push(new PassThrough());
        return streams(id).output.at(-1)?.pipe(response);
      }
      case 'POST containers id attach': {
        find(id);
        response.writeHead(200);
        if (searchParams.get('stdin') === '1') request.pipe(streams(id).stdin);
        const output = new PassThrough();
        streams(id).output.push(output);
        return output.pipe(response);
      }
      case 'POST run': {
        const line = await new Promise<string>((resolve) => request.once('data', (chunk) => resolve(String(chunk))));
        const spec = JSON.parse(line) as ContainerSpec;
        containers.set(spec.id, { spec, state: { ...NEW, id: spec.id, createdAt: Date.now() } });
        const output = new PassThrough();
        streams(spec.id).output.push(output);
        start(spec.id);
        response.writeHead(200);
        return output.pipe(response);
      }
      case 'POST containers id wait': {
        response.writeHead(200);
        response.write(' ');
        return;
      }
      case 'POST containers id exec': {
        find(id);
        const execId = `e${execs.size + 1}`;
        execs.set(execId, { spec: (await json(request)) as ExecSpec, exitCode: null });
        return reply(201, { execId });
      }
      case 'POST exec id start': {
        const exec = execs.get(id);
        if (exec === undefined) throw new Refusal(404, 'no such exec');
        response.writeHead(200);
        const [program, argument = ''] = exec.spec.argv;
        if (program === 'cat') for await (const chunk of request) response.write(frame(1, chunk as Buffer));
        else response.write(frame(1, `${argument}\n`));
        exec.exitCode = program === 'exit' ? Number(argument) : 0;
        return response.end();
      }
      case 'GET exec id':
        return reply(200, { running: false, exitCode: execs.get(id)?.exitCode ?? null, pid: 0 });
      case 'POST containers id ports':
        if (last === '81') throw new Refusal(502, 'connection refused', 'ECONNREFUSED');
        response.writeHead(200);
        return request.pipe(response);
      case 'GET events':
        response.writeHead(200);
        watchers.add(response);
        response.once('close', () => watchers.delete(response));
        return response.write(
          `${JSON.stringify({ type: 'snapshot', containers: [...containers.values()] } satisfies AgentEvent)}\n`,
        );
      default:
        throw new Refusal(404, key);
    }
  };

  const server = http2.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const { status = 500, message = '', errno } = error as Partial<Refusal>;
      response.writeHead(status).end(JSON.stringify({ message, ...(errno !== undefined && { errno }) }));
    });
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    containers,
    layers,
    readPaused,
    copies,
    emit,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

export function frame(stream: 1 | 2, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

const NEW = {
  status: 'created' as const,
  paused: false,
  health: 'none' as const,
  pid: 0,
  startedAt: 0,
  finishedAt: 0,
  exitCode: 0,
  oomKilled: false,
  restarts: 0,
  error: '',
};

const NO_STALL = { avg10: 0, avg60: 0, avg300: 0, total: 0 };
const NO_PRESSURE = { some: NO_STALL, full: NO_STALL };

/** What every container uses. */
export const STATS: ContainerStats = {
  readAt: 1_700_000_000_000,
  guest: { time: 8_000_000, processors: 2 },
  cpu: { usage: 1_000_000, user: 700_000, system: 300_000, periods: 10, throttledPeriods: 4, throttled: 200_000 },
  memory: {
    usage: 3 * 1024 ** 2,
    peak: 4 * 1024 ** 2,
    limit: 64 * 1024 ** 2,
    swap: 0,
    stat: { inactive_file: 1024 ** 2 },
    events: { oom_kill: 0 },
  },
  pids: { current: 2, limit: 9 },
  io: [{ major: 254, minor: 0, readBytes: 4096, writtenBytes: 512, reads: 1, writes: 2 }],
  network: [
    {
      name: 'eth0',
      rxBytes: 10,
      rxPackets: 1,
      rxErrors: 0,
      rxDropped: 0,
      txBytes: 20,
      txPackets: 2,
      txErrors: 0,
      txDropped: 0,
    },
  ],
  pressure: { cpu: NO_PRESSURE, memory: NO_PRESSURE, io: NO_PRESSURE },
};

const PROCESS: ContainerProcess = {
  pid: 7,
  parent: 1,
  uid: 33,
  gid: 34,
  threads: 1,
  state: 'S',
  startedAt: 1_700_000_000_000,
  cpuTime: 61_000,
  nice: 0,
  virtual: 4096,
  resident: 2048,
  name: 'sleep',
  command: 'sleep 1000',
};

// As a process of its own it outlives the engine, like a guest.
if (import.meta.main) await serveFakeAgent(process.argv[2] ?? '');
