import { AF_UNIX, EPOLLIN, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError, unless } from '../sys/system-error.ts';
import { type Connection, openConnection } from './connection.ts';
import { createLoop } from './loop.ts';
import { type Processes, trackProcesses } from './processes.ts';
import type { FromZygote, ToZygote } from './protocol.ts';

/**
 * Serves agents on a unix socket that only root may use, one at a time.
 *
 * @param ignoredSignals those that this process ignores and its children must not
 * @returns waits for something to happen and handles it, to be called again and again
 */
export function serve(sys: Sys, path: string, ignoredSignals: number[]): () => void {
  const loop = createLoop(sys);
  let agent: Connection | undefined;
  const tell = (message: FromZygote) => agent?.send(message);
  const listener = listen(sys, path);
  const leave = () => {
    sys.close(listener);
    agent?.leave();
  };
  const processes = trackProcesses(sys, loop, ignoredSignals, tell, leave);

  loop.watch(listener, EPOLLIN, () => {
    const fd = sys.accept(listener, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd === null) return;
    agent?.close();
    processes.dismissSpares();
    agent = openConnection(sys, loop, fd, (line) => handle(processes, parseRequest(line), tell));
    agent.send({ type: 'processes', processes: processes.list() });
  });
  return () => loop.turn();
}

function handle(processes: Processes, request: ToZygote, tell: (message: FromZygote) => void): void {
  const { type, id } = request;
  try {
    switch (type) {
      case 'prepare':
        processes.prepare(id, request.sandbox, request.outputs);
        break;
      case 'start':
        processes.start(id, request.init);
        break;
      case 'exec':
        processes.exec(id, request.init);
        break;
      case 'signal':
        processes.signal(id, request.signal);
        tell({ type: 'signalled', id });
        break;
      case 'forget':
        processes.forget(id);
        break;
    }
  } catch (error) {
    if (!(error instanceof SystemError) || type === 'forget') throw error;
    if (type === 'prepare') {
      console.error('zygote: prepare:', error.message);
      return;
    }
    const { operation, object, errno } = error;
    tell({ type: 'failed', id, request: type, operation, object, errno });
  }
}

/**
 * Only the agent can connect, which is root in this guest as the zygote is: there is nothing to gain by a false request,
 * and one that is not as protocol.ts says ends the connection here or is reported by the child.
 */
function parseRequest(line: string): ToZygote {
  const request = JSON.parse(line) as ToZygote;
  if (typeof request.id !== 'string') throw new Error('request without id');
  return request;
}

/** A socket that an earlier zygote left is replaced. */
function listen(sys: Sys, path: string): number {
  const listener = sys.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  unless(['ENOENT'], () => sys.unlink(path));
  const umask = sys.umask(0o177);
  sys.bindUnix(listener, path);
  sys.umask(umask);
  sys.listen(listener, BACKLOG);
  return listener;
}

/** Agents that may wait at one time: a new one while the old one leaves. */
const BACKLOG = 4;
