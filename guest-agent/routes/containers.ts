import { ContainerSpec, ContainerUpdate, SignalName, TerminalSize } from '../api.ts';
import { findContainer, findRunning, recordOf, whenState } from '../container/container.ts';
import { createContainer } from '../container/create.ts';
import { deleteContainer } from '../container/delete.ts';
import { killContainer } from '../container/kill.ts';
import { pauseContainer, resumeContainer } from '../container/pause.ts';
import { resizeContainer } from '../container/resize.ts';
import { startContainer } from '../container/start.ts';
import { stopContainer } from '../container/stop.ts';
import { updateContainer } from '../container/update.ts';
import { healthReport } from '../health/watch.ts';
import { count, flag, parse, readBody } from './input.ts';
import { respondStream } from './output.ts';
import type { Routes } from './router.ts';

/** Life cycle of containers. */
export const containerRoutes: Routes = {
  async 'POST /v1/containers'({ runtime, stream }) {
    const { container, created } = createContainer(runtime, await readBody(stream, ContainerSpec));
    return { status: created ? 201 : 200, body: container.state };
  },

  'GET /v1/containers': ({ runtime }) => ({ status: 200, body: [...runtime.containers.values()].map(recordOf) }),

  'GET /v1/containers/:id': ({ runtime, params }) => ({
    status: 200,
    body: recordOf(findContainer(runtime, params.id)),
  }),

  async 'DELETE /v1/containers/:id'({ runtime, params, query }) {
    await deleteContainer(runtime, params.id, flag(query, 'force'));
    return { status: 204 };
  },

  'POST /v1/containers/:id/start': async ({ runtime, params }) => ({
    status: 200,
    body: await startContainer(runtime, findContainer(runtime, params.id)),
  }),

  'POST /v1/containers/:id/stop': async ({ runtime, params, query }) => ({
    status: 200,
    body: await stopContainer(runtime, findContainer(runtime, params.id), count(query, 'seconds')),
  }),

  async 'POST /v1/containers/:id/kill'({ runtime, params, query }) {
    const signal = parse(SignalName, query.get('signal'), 'signal');
    await killContainer(runtime, params.id, signal);
    return { status: 204 };
  },

  'POST /v1/containers/:id/pause': async ({ runtime, params }) => ({
    status: 200,
    body: await pauseContainer(runtime, findContainer(runtime, params.id)),
  }),

  'POST /v1/containers/:id/resume': async ({ runtime, params }) => ({
    status: 200,
    body: await resumeContainer(runtime, findContainer(runtime, params.id)),
  }),

  'POST /v1/containers/:id/update': async ({ runtime, params, stream }) => ({
    status: 200,
    body: await updateContainer(runtime, findContainer(runtime, params.id), await readBody(stream, ContainerUpdate)),
  }),

  'GET /v1/containers/:id/stats'({ runtime, params }) {
    const { run, state } = findRunning(runtime, params.id);
    return { status: 200, body: { readAt: runtime.clock.now(), ...runtime.kernel.stats(run.cgroup, state.pid) } };
  },

  'GET /v1/containers/:id/health': ({ runtime, params }) => ({
    status: 200,
    body: healthReport(findContainer(runtime, params.id)),
  }),

  'GET /v1/containers/:id/processes': ({ runtime, params }) => ({
    status: 200,
    body: runtime.kernel.processes(findRunning(runtime, params.id).run.cgroup),
  }),

  async 'POST /v1/containers/:id/resize'({ runtime, params, stream }) {
    resizeContainer(runtime, params.id, await readBody(stream, TerminalSize));
    return { status: 204 };
  },

  async 'POST /v1/containers/:id/wait'({ runtime, params, stream, left }) {
    const container = findContainer(runtime, params.id);
    respondStream(stream, 'application/json');
    const state = await whenState(runtime, container, ({ status }) => status === 'exited', left);
    stream.end(JSON.stringify(state));
    return undefined;
  },
};
