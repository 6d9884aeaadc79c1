import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';

/** The socket that waits for a terminal's other end at `path`; -1 without one. */
export function connectConsole(path: unknown): number {
  if (typeof path !== 'string') return -1;
  const socket = sys.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
  sys.connectUnix(socket, path);
  return socket;
}
