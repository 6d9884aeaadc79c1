import * as v from 'valibot';
import { pauseContainer, unpauseContainer } from '../containers/pause.ts';
import { updateContainer } from '../containers/update.ts';
import type { Context } from '../context.ts';
import type { Route } from '../http/route.ts';
import { HostRestartPolicy, restartPolicy } from './create-body.ts';
import { findContainer } from './find.ts';
import { HOST_LIMITS, limitsOf } from './limits.ts';
import { refuseUpdate } from './unsupported.ts';

/** What changes a container while it runs. */
export function controlRoutes(ctx: Context): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/:id/pause',
      async handle(call) {
        await pauseContainer(ctx, await findContainer(ctx, call));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/unpause',
      async handle(call) {
        await unpauseContainer(ctx, await findContainer(ctx, call));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/update',
      async handle(call) {
        const body = await call.json(UpdateBody);
        refuseUpdate(body);
        const asked = body.RestartPolicy?.Name ? restartPolicy(body.RestartPolicy) : null;
        const container = await findContainer(ctx, call);
        const limits = limitsOf(body, container.record.spec.limits);
        await updateContainer(ctx, container, { limits, restart: asked });
        return { status: 200, json: { Warnings: [] } };
      },
    },
  ];
}

/** https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerUpdate; 0 and "" change nothing. */
const UpdateBody = v.looseObject({ ...HOST_LIMITS, RestartPolicy: v.nullish(HostRestartPolicy) });
