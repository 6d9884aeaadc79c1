import { ContainerSpec } from '../api.ts';
import { attachInput, attachOutput } from '../container/attach.ts';
import { type Container, findContainer } from '../container/container.ts';
import { admitContainer } from '../container/create.ts';
import { containerLogs } from '../container/logs.ts';
import { startContainer } from '../container/start.ts';
import { invalid, report } from '../errors.ts';
import { connectPort } from '../network/port.ts';
import { count, flag, parse, readLine } from './input.ts';
import { respondStream, sendAll } from './output.ts';
import type { Call, Routes } from './router.ts';

/** What flows from and to containers. */
export const streamRoutes: Routes = {
  async 'GET /v1/containers/:id/logs'({ runtime, params, query, stream, left }) {
    const container = findContainer(runtime, params.id);
    const selection = {
      stdout: flag(query, 'stdout'),
      stderr: flag(query, 'stderr'),
      tail: count(query, 'tail'),
      since: count(query, 'since') ?? 0,
      until: count(query, 'until') ?? Number.POSITIVE_INFINITY,
      timestamps: flag(query, 'timestamps'),
    };
    await sendAll(stream, containerLogs(runtime, container, selection, flag(query, 'follow'), left));
    return undefined;
  },

  async 'POST /v1/containers/:id/attach'(call) {
    await sendAll(call.stream, attach(call, findContainer(call.runtime, call.params.id), flag(call.query, 'logs')));
    return undefined;
  },

  /** Three requests in one: on a trunk to an emulated guest each costs as much as making the container. */
  async 'POST /v1/run'(call) {
    const spec = parse(ContainerSpec, await readLine(call.stream), 'request body');
    const { container } = admitContainer(call.runtime, spec);
    const output = attach(call, container, true);
    await startContainer(call.runtime, container);
    await sendAll(call.stream, output);
    return undefined;
  },

  async 'POST /v1/containers/:id/ports/:port'({ runtime, params, stream, left }) {
    const port = Number(params.port);
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw invalid(`connect to port \`${params.port}\`: not a port`);
    const socket = await connectPort(runtime, params.id, port, left);
    respondStream(stream);
    // Either side may end its half first; when one breaks off, so does the other.
    stream.pipe(socket).pipe(stream);
    stream.on('close', () => socket.destroy());
    socket.on('error', () => stream.destroy());
    return undefined;
  },
};

/** The container's output from now on or from the beginning; where asked for, the request's body is its stdin. */
function attach({ runtime, query, stream, left }: Call, container: Container, fromBeginning: boolean) {
  if (flag(query, 'stdin'))
    attachInput(runtime, container, stream, left).catch((error: unknown) => report('attach stdin', error));
  return attachOutput(runtime, container, fromBeginning, left);
}
