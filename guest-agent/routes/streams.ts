import { attachInput, attachOutput } from '../container/attach.ts';
import { findContainer } from '../container/container.ts';
import { containerLogs } from '../container/logs.ts';
import { connectPort } from '../network/port.ts';
import { invalid, report } from '../errors.ts';
import { count, flag } from './input.ts';
import { respondStream, sendAll } from './output.ts';
import type { Routes } from './router.ts';

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

  async 'POST /v1/containers/:id/attach'({ runtime, params, query, stream, left }) {
    const container = findContainer(runtime, params.id);
    const output = attachOutput(runtime, container, flag(query, 'logs'), left);
    if (flag(query, 'stdin'))
      attachInput(runtime, container, stream, left).catch((error: unknown) => report('attach stdin', error));
    await sendAll(stream, output);
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
