import { randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ContainerState, type ContainerSpec, LayerSize } from '../../../guest-agent/api.ts';
import type { RunRequest } from '../../build/build.ts';
import { NestError } from '../../errors.ts';
import type { LayerFile } from '../../images/images.ts';
import { packSquashfs } from '../../images/sqfstar.ts';
import type { Progress } from '../../progress.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import type { Guests } from '../../vm/guests.ts';
import type { Scratch } from '../../vm/scratch.ts';
import { checkedFrames, payloads } from '../containers/frames.ts';
import type { Context } from '../context.ts';
import type { Seat } from '../guests/seats.ts';
import { removeGuest } from '../guests/remove.ts';
import { BUILD_ZONE } from './zone.ts';

/** Where the commands of one build run: a guest of a zone of its own, booted for the first one. */
export interface BuildGuest extends AsyncDisposable {
  /** @returns the tar of what the command changed. @throws NestError `exec-failed` when it fails. */
  run(request: RunRequest, layers: LayerFile[]): Promise<AsyncIterable<Buffer>>;
}

export interface BuildGuestOptions {
  /** Folder for files that end as soon as the guest has them. */
  folder: string;
  progress: Progress;
  signal: AbortSignal;
}

export function openBuildGuest(ctx: Context, { folder, progress, signal }: BuildGuestOptions): BuildGuest {
  let booting: Promise<Seat> | undefined;
  const zone = `${BUILD_ZONE}${randomBytes(6).toString('hex')}`;
  const boot = () =>
    (booting ??= ctx.seats.take(
      { zone, memoryLimit: undefined, cpus: undefined, accelerator: 'auto' },
      progress,
      signal,
    ));

  return {
    async run(request, layers) {
      const seat = await boot();
      const { guests } = await ctx.link.running(seat.guest.id);
      const guest = { id: seat.guest.id, guests, trunk: guests.trunk(seat.guest.id) };
      const [scratch] = await Promise.all([
        guests.attachScratch(guest.id),
        ...layers.map((layer) => guests.attachLayer(guest.id, layer)),
      ]);
      const extra = request.extra && (await attachExtra(guest, folder, request.extra, signal));
      const all = [...layers.map(({ diffId }) => diffId), ...(extra === undefined ? [] : [extra])];
      return runIn(guest.trunk, specOf(request, all), { scratch, onOutput: request.onOutput, signal });
    },
    async [Symbol.asyncDispose]() {
      const seat = await booting?.catch(() => undefined);
      if (seat === undefined) return;
      try {
        await removeGuest(ctx, await ctx.link.open(), seat.guest.id);
      } finally {
        seat.release();
      }
    },
  };
}

async function runIn(
  trunk: Trunk,
  spec: ContainerSpec,
  { scratch, onOutput, signal }: { scratch: Scratch; onOutput: (bytes: Buffer) => void; signal: AbortSignal },
): Promise<AsyncIterable<Buffer>> {
  const target = `/v1/containers/${spec.id}`;
  const running = await trunk.open({ method: 'POST', path: '/v1/run', body: spec, signal });
  // Both are awaited from the beginning: when the guest goes, both fail.
  const [{ exitCode, oomKilled }] = await Promise.all([
    trunk.request({ method: 'POST', path: `${target}/wait`, signal }, ContainerState),
    readOutput(checkedFrames(running, { stdout: true, stderr: true }), onOutput),
  ]);
  if (exitCode !== 0)
    throw new NestError('exec-failed', `exit code ${exitCode}${oomKilled ? ', as its guest had no memory left' : ''}`);
  const body = { serial: scratch.serial };
  const { bytes } = await trunk.request({ method: 'PUT', path: `${target}/layer`, body, signal }, LayerSize);
  return (async function* () {
    yield* beginning(scratch.file, bytes);
    await trunk.send({ method: 'DELETE', path: `${target}?force=1`, signal });
  })();
}

/**
 * What the guest has written. It may change it at any time, but whatever comes out is read once, and judged as it comes; an end
 * that is not there makes a broken archive.
 */
async function* beginning(file: string, bytes: number): AsyncGenerator<Buffer> {
  await using handle = await open(file, 'r');
  if (bytes > 0) yield* handle.createReadStream({ end: bytes - 1, highWaterMark: 256 * 1024, autoClose: false });
}

async function readOutput(frames: Readable, onOutput: (bytes: Buffer) => void): Promise<void> {
  for await (const bytes of payloads(frames)) onOutput(bytes);
}

function specOf({ argv, env, cwd, user }: RunRequest, layers: string[]): ContainerSpec {
  const id = randomBytes(32).toString('hex');
  const variables = new Map([DEFAULT_PATH, ...env].map((entry) => [entry.slice(0, entry.indexOf('=')), entry]));
  return {
    id,
    hostname: 'build',
    layers,
    argv,
    env: [...variables.values()],
    cwd,
    user,
    stdin: false,
    stopSignal: 'SIGTERM',
    stopSeconds: 0,
    limits: {},
    restart: { name: 'no', maximumRetries: 0 },
    annotations: {},
  };
}

/** The layer goes with the guest; its file is gone as soon as QEMU has it open. @returns its diff ID */
async function attachExtra(
  { id, guests }: { id: string; guests: Guests },
  folder: string,
  tar: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<string> {
  const name = randomBytes(32).toString('hex');
  // A name that cannot be guessed: QEMU's user must be able to read it.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const file = path.join(folder, `${name}.squashfs`);
  try {
    const diffId = `sha256:${name}`;
    await packSquashfs(tar, file, { id: diffId, size: 0, newest: Math.floor(Date.now() / 1000), signal });
    await guests.attachLayer(id, { diffId, path: file });
  } finally {
    await rm(file, { force: true });
  }
  return `sha256:${name}`;
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
