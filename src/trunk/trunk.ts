/**
 * The host end of a guest's trunk: HTTP/2 over the unix socket behind its virtio-serial port (guest-agent/api.ts). The
 * agent is hostile until proven otherwise: replies are bounded and parsed, its words are stripped before they are shown.
 */
import { PassThrough, pipeline, type Duplex, type Readable } from 'node:stream';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import { exchange } from './exchange.ts';
import { openLink, type LinkOptions } from './link.ts';
import { ping } from './ping.ts';
import { readJson, readNothing } from './reply.ts';

export interface TrunkRequest {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  signal?: AbortSignal;
}

/** The host end of one guest's trunk. Reconnects by itself; a request made while it is away waits, bounded by its time limit. */
export interface Trunk {
  /** One JSON exchange, at most 8 MiB of reply; throws NestError `not-found`, `conflict`, `invalid-input`, `exec-failed`, `guest-lost` by status. */
  request<S extends v.GenericSchema>(request: TrunkRequest, schema: S): Promise<v.InferOutput<S>>;
  /** For replies without a body. */
  send(request: TrunkRequest): Promise<void>;
  /** A reply of unbounded length, resolved when its headers came. When the guest is lost it fails with `guest-lost`. */
  read(request: TrunkRequest): Promise<Readable>;
  /** Both directions: attach, exec and port streams, resolved when its headers came. */
  open(request: TrunkRequest): Promise<Duplex>;
  /**
   * Resolves with true when the agent has answered a ping, however long that takes and however many sessions, with false
   * once `signal` has aborted or the trunk is closed.
   */
  ping(signal: AbortSignal): Promise<boolean>;
  /** True while the agent answers. */
  readonly connected: boolean;
  onChange(listener: (connected: boolean) => void): void;
  /** To be called when its QEMU has begun to listen: who waits is served sooner. */
  hurry(): void;
  /** Ends everything under way with `guest-lost`. Closing twice is harmless. */
  close(): void;
}

/**
 * Connects at once and for as long as it takes: the socket may not be there yet, and the guest may open its end much
 * later; until then requests wait in line, at most `waitMs`.
 */
export function connectTrunk(socketPath: string, options: Partial<LinkOptions> = {}): Trunk {
  const link = openLink(socketPath, { ...DEFAULTS, ...options });
  return {
    async request(request, schema) {
      const body = await readJson(await exchange(link, request, 'whole'), request);
      const parsed = v.safeParse(schema, body);
      if (parsed.success) return parsed.output;
      const [issue] = parsed.issues;
      const where = v.getDotPath(issue) ?? 'reply';
      throw new NestError(
        'guest-lost',
        `${request.method} \`${request.path}\`: the agent's reply is malformed at ${where}`,
        {
          cause: new v.ValiError(parsed.issues),
        },
      );
    },
    async send(request) {
      await readNothing(await exchange(link, request, 'whole'), request);
    },
    read: async (request) => kept(await exchange(link, request, 'whole')),
    open: (request) => exchange(link, request, 'duplex'),
    ping: (signal) => ping(link, signal),
    get connected() {
      return link.connected;
    },
    onChange: (listener) => link.onChange(listener),
    hurry: () => link.hurry(),
    close: () => link.close(),
  };
}

/** Node closes a stream of HTTP/2 that has ended, read or not: what came before somebody reads would be lost. */
function kept(stream: Duplex): Readable {
  return pipeline(stream, new PassThrough({ highWaterMark: 64 * 1024 }), () => undefined);
}

const DEFAULTS: LinkOptions = { waitMs: 10_000, quietMs: 5_000, handshakeMs: 15_000, refused: () => undefined };
