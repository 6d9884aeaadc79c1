import { once } from 'node:events';
import { Socket } from 'node:net';
import { type Container, findRunning, type Run } from '../container/container.ts';
import { checkRunning } from '../container/signals.ts';
import { errnoOf, RequestError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

/** Connects to a TCP port on the loopback address of the container's own network. */
export async function connectPort(runtime: Runtime, id: string, port: number, left: AbortSignal): Promise<Socket> {
  const network = await findRunning(runtime, id).inTurn(() => networkOf(runtime, findRunning(runtime, id)));
  // With `noDelay` Node does not read before the socket is connected, which it takes any descriptor for.
  const options = { fd: runtime.kernel.socketInNetwork(network), allowHalfOpen: true, noDelay: true };
  const socket = new Socket(options);
  try {
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect', { signal: left });
    return socket;
  } catch (error) {
    socket.destroy();
    const errno = errnoOf(error);
    const message = `connect to port ${port} of container \`${id}\`: ${errno ?? String(error)}`;
    throw new RequestError(502, message, { cause: error, ...(errno && { errno }) });
  }
}

/** Opened once for each run: its PID alone could be another process's by now. */
async function networkOf(runtime: Runtime, container: Container & { run: Run }): Promise<number> {
  const { run } = container;
  if (run.network !== undefined) return run.network;
  run.network = runtime.kernel.openNetwork(container.state.pid);
  await checkRunning(runtime, container);
  return run.network;
}
