import type { MessagePort } from 'node:worker_threads';
import { lastFailure, LibvirtError, type Failure } from './failure.ts';
import { libvirt, type Connection } from './ffi.ts';
import { operations, type Operations } from './operations.ts';

export type OperationName = keyof Operations;
export type Request = { id: number; operation: OperationName | 'connect'; parameters: unknown[] } | 'close';
export type Reply = { id: number; value: unknown } | { id: number; failure: Failure };

/** Runs requests one after another on this thread, on one connection that is made again when it is lost. */
export function serve(port: MessagePort, uri: string): void {
  let connection: Connection | undefined;

  port.on('message', (request: Request) => {
    if (request === 'close') {
      hangUp();
      port.close();
    } else port.postMessage(answer(request));
  });

  function answer({ id, operation, parameters }: Exclude<Request, 'close'>): Reply {
    try {
      const open = connect();
      if (operation === 'connect') return { id, value: undefined };
      const run = OPERATIONS[operation];
      return { id, value: run(open, ...(parameters as never[])) };
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      return { id, failure: { ...error.failure, disconnected: error.failure.disconnected || !alive() } };
    }
  }

  function connect(): Connection {
    if (connection !== undefined && alive()) return connection;
    hangUp();
    const opened = libvirt().virConnectOpen(uri);
    if (opened === null) throw lastFailure(`connect to libvirt \`${uri}\``, true);
    connection = opened;
    return opened;
  }

  function alive(): boolean {
    return connection !== undefined && libvirt().virConnectIsAlive(connection) === 1;
  }

  function hangUp(): void {
    if (connection !== undefined) libvirt().virConnectClose(connection);
    connection = undefined;
  }
}

/** What the parameters are was checked where they were sent, in this process (libvirt.ts). */
const OPERATIONS: Record<OperationName, (connection: Connection, ...parameters: never[]) => unknown> = operations;
