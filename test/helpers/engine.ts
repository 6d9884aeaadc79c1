import Docker from 'dockerode';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { startEngine, type Engine, type EngineParts } from '../../src/engine/engine.ts';
import { NestError } from '../../src/errors.ts';
import type { Image, Images } from '../../src/images/images.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { fakeGuests, type FakeGuests } from '../engine/fake-guests.ts';

export interface TestEngine {
  engine: Engine;
  paths: Paths;
  docker: Docker;
  guests: FakeGuests;
  log: string[];
  /** One JSON exchange. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; type: string; body: unknown }>;
  /** The events of an NDJSON stream. */
  stream(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** An engine with guests that are none, on a socket in a folder of its own; `folder` continues with another one's data. */
export async function openTestEngine(
  options: Partial<EngineParts> & { folder?: string; guests?: FakeGuests } = {},
): Promise<TestEngine> {
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'nest-engine-')));
  const paths = testPaths(folder);
  const guests = options.guests ?? fakeGuests(path.join(folder, 'guests'), 'inside');
  const log: string[] = [];
  const engine = await startEngine({ ...testParts(paths, guests), log: (message) => log.push(message), ...options });
  const socketPath = paths.engineSocket;
  return {
    engine,
    paths,
    guests,
    log,
    docker: new Docker({ socketPath, host: '', protocol: 'http' }),
    async call(method, target, body) {
      const reply = await send(socketPath, method, target, body);
      const content = await text(reply);
      const value: unknown = content === '' ? undefined : JSON.parse(content);
      return { status: reply.statusCode ?? 0, type: reply.headers['content-type'] ?? '', body: value };
    },
    async stream(method, target, body, signal) {
      const reply = await send(socketPath, method, target, body, signal);
      if (reply.statusCode !== 200) throw new Error(JSON.stringify(await json(reply)));
      const lines = (await text(reply)).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    async close() {
      await engine.close();
      for (const { id } of guests.list()) await guests.remove(id);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function testPaths(folder: string): Paths {
  return nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
}

export function testParts(paths: Paths, guests: FakeGuests): EngineParts {
  return {
    paths,
    version: '0.0.0-test',
    uri: 'test:///default',
    openImages: () => Promise.resolve(testImages()),
    guestImages: {
      build: () => Promise.reject(new Error('not here')),
      add: () => Promise.reject(new Error('not here')),
      remove: () => Promise.resolve(),
      list: () => Promise.resolve([]),
    },
    connect: () => Promise.resolve(guests),
    host: { memoryAvailable: () => Promise.resolve(8 * 1024 ** 3), cpus: 2 },
    idleMilliseconds: 300_000,
    log: () => undefined,
    onStopRequest: () => undefined,
  };
}

/** One image, `hello`, whose entrypoint does nothing by itself; what is loaded or pulled is `hello` again. */
function testImages(): Images {
  const find = (name: string) =>
    Promise.resolve(['hello', 'localhost/hello:latest', HELLO.id].includes(name) ? HELLO : undefined);
  const absent = () => Promise.reject(new Error('not here'));
  return {
    find,
    assemble: absent,
    save: absent,
    push: absent,
    tag: absent,
    check: absent,
    diskPath: (id) => `/layers/${id}`,
    blobPath: (digest) => `/blobs/${digest}`,
    cachedSteps: () => [],
    reclaimable: () => 0,
    remove: absent,
    prune: absent,
    pruneCache: absent,
    list: () => Promise.resolve([HELLO]),
    layers: (image) => Promise.resolve(image.layers.map((diffId) => ({ diffId, path: `/layers/${diffId}` }))),
    load: (source, progress) =>
      progress.step('Copying', async () => {
        if (source.kind === 'registry')
          throw new NestError('image-not-found', `pull \`${source.reference}\`: not there`);
        return Promise.resolve([HELLO]);
      }),
  };
}

/** What a multiplexed stream says on stdout and stderr, when it has ended. */
export async function demultiplexed(
  docker: Docker,
  stream: NodeJS.ReadableStream,
): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => {
    stdout.end();
    stderr.end();
  });
  return { stdout: await text(stdout), stderr: await text(stderr) };
}

async function send(
  socketPath: string,
  method: string,
  target: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const request = httpRequest({ socketPath, method, path: target, ...(signal && { signal }) });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  return reply;
}

export const HELLO: Image = {
  id: `sha256:${'1'.repeat(64)}`,
  references: ['localhost/hello:latest'],
  digests: [`sha256:${'4'.repeat(64)}`],
  author: '',
  history: [{ created: '2026-01-01T00:00:00Z', createdBy: 'COPY . .', comment: '', size: 1234 }],
  created: '2026-01-01T00:00:00Z',
  size: 1234,
  architecture: 'amd64',
  layers: [`sha256:${'2'.repeat(64)}`, `sha256:${'3'.repeat(64)}`],
  config: {
    User: '',
    ExposedPorts: { '80/tcp': {} },
    Env: ['PATH=/bin', 'COLOR=red'],
    Entrypoint: null,
    Cmd: ['sleep'],
    WorkingDir: '',
    Labels: { made: 'by hand' },
    StopSignal: '',
    Volumes: {},
    Healthcheck: null,
    Shell: null,
    OnBuild: [],
  },
};
