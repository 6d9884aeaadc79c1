import { ExecSpec, TerminalSize } from '../api.ts';
import { createExec, findExec } from '../container/exec.ts';
import { startExec } from '../container/exec-start.ts';
import { resizeExec } from '../container/resize.ts';
import { readBody } from './input.ts';
import { respondStream } from './output.ts';
import type { Routes } from './router.ts';

/** Further processes in containers. */
export const execRoutes: Routes = {
  async 'POST /v1/containers/:id/exec'({ runtime, params, stream }) {
    const spec = await readBody(stream, ExecSpec);
    return { status: 201, body: { execId: createExec(runtime, params.id, spec).id } };
  },

  async 'POST /v1/exec/:execId/start'({ runtime, params, stream }) {
    await startExec(runtime, findExec(runtime, params.execId), stream, () => respondStream(stream));
    return undefined;
  },

  async 'POST /v1/exec/:execId/resize'({ runtime, params, stream }) {
    resizeExec(runtime, params.execId, await readBody(stream, TerminalSize));
    return { status: 204 };
  },

  'GET /v1/exec/:execId': ({ runtime, params }) => ({
    status: 200,
    body: findExec(runtime, params.execId).state,
  }),
};
