import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NestError } from '../errors.ts';

/** A TCP port of the host that leads to one of a container. `hostPort` 0 asks for any free one. */
export interface PortMapping {
  containerPort: number;
  hostIp: string;
  hostPort: number;
}

/** Listeners of the host for containers' ports. */
export interface PublishedPorts {
  /**
   * Listens on all of a container's ports or on none; those it had are closed first.
   * @returns the mappings with the ports that they got.
   * @throws NestError `port-taken`, `not-permitted`, or `invalid-input` for an address that is not this host's.
   */
  open(containerId: string, mappings: PortMapping[]): Promise<PortMapping[]>;
  /** True from the moment it is asked to listen until it is closed. */
  has(containerId: string): boolean;
  /** Stops listening and ends the connections. Resolves when the ports are free; nothing open is success. */
  close(containerId: string): Promise<void>;
  closeAll(): Promise<void>;
}

/** @param connect a connection to a port inside the container's network; rejects when nothing listens there. */
export function publishedPorts(connect: (containerId: string, port: number) => Promise<Duplex>): PublishedPorts {
  const open = new Map<string, Listener[]>();
  const close = async (containerId: string) => {
    const listeners = open.get(containerId) ?? [];
    open.delete(containerId);
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  return {
    async open(containerId, mappings) {
      await close(containerId);
      open.set(containerId, []);
      await using undo = new AsyncDisposableStack();
      undo.defer(() => void open.delete(containerId));
      const listeners: Listener[] = [];
      for (const mapping of mappings) {
        const listener = await listen(mapping, () => connect(containerId, mapping.containerPort));
        undo.defer(() => listener.close());
        listeners.push(listener);
      }
      undo.move();
      open.set(containerId, listeners);
      return listeners.map((listener) => listener.mapping);
    },
    has: (containerId) => open.has(containerId),
    close,
    async closeAll() {
      await Promise.all([...open.keys()].map(close));
    },
  };
}

interface Listener {
  mapping: PortMapping;
  close(): Promise<void>;
}

async function listen(mapping: PortMapping, connect: () => Promise<Duplex>): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    void join(socket, connect);
  });
  server.maxConnections = CONNECTION_LIMIT;
  await bound(server, mapping);
  const { port } = server.address() as AddressInfo;
  return {
    mapping: { ...mapping, hostPort: port },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

function bound(server: Server, { hostIp, hostPort }: PortMapping): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(asPortError(error, `${hostIp}:${hostPort}`)));
    server.listen({ host: hostIp, port: hostPort, exclusive: true }, resolve);
  });
}

/** Joins the two ends: each may end its half first; when either breaks, both are gone. */
async function join(socket: Socket, connect: () => Promise<Duplex>): Promise<void> {
  let inside: Duplex | undefined;
  const end = () => {
    inside?.destroy();
    socket.resetAndDestroy();
  };
  socket.on('error', end);
  try {
    inside = await connect();
  } catch {
    // Nothing listens in the container: to the client it looks as if nothing listened here.
    end();
    return;
  }
  inside.on('error', end);
  socket.once('close', () => inside.destroy());
  if (socket.destroyed) {
    inside.destroy();
    return;
  }
  inside.once('close', () => {
    if (!inside.readableEnded) end();
  });
  socket.pipe(inside);
  inside.pipe(socket);
}

function asPortError(error: NodeJS.ErrnoException, address: string): NestError {
  const operation = `listen on \`${address}\``;
  switch (error.code) {
    case 'EADDRINUSE':
      return new NestError('port-taken', `${operation}: port is already allocated`, {
        hint: `publish another port, or find who has it: ss -ltnp 'sport = :${address.slice(address.lastIndexOf(':') + 1)}'`,
        cause: error,
      });
    case 'EACCES':
      return new NestError('not-permitted', `${operation}: permission denied`, {
        hint: 'ports below 1024 need root: publish a higher one',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
      return new NestError('invalid-input', `${operation}: not an address of this host`, {
        hint: 'use 127.0.0.1, 0.0.0.0 or one that `ip address` shows',
        cause: error,
      });
    case undefined:
    default:
      return new NestError('internal', `${operation}: ${error.message}`, { cause: error });
  }
}

/** Connections per published port; more are closed at once. */
const CONNECTION_LIMIT = 1024;
