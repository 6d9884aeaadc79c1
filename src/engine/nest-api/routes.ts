import { once } from 'node:events';
import { DeployRequest, GuestResize, type EngineStatus } from '../../api.ts';
import type { Paths } from '../../paths.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import type { Context } from '../context.ts';
import { deploy } from '../deploy/deploy.ts';
import { listDeployments } from '../deploy/deployments.ts';
import { takeDown } from '../deploy/down.ts';
import { diskUsage } from '../disk-usage.ts';
import { flag } from '../docker-api/query.ts';
import { jsonLines } from '../http/lines.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { pauseGuest, rebootGuest, resumeGuest, startGuest, stopGuest } from '../guests/life-cycle.ts';
import { resizeGuest } from '../guests/resize.ts';
import type { HostCapacity } from '../guests/seats.ts';
import { consoleReply } from './console.ts';
import { deleteGuest, describeGuest, findGuest, restartAgent, showGuest } from './guests.ts';
import { guestImageRoutes, type GuestImages } from './guest-images.ts';
import { guestUsage } from './guest-usage.ts';
import { NDJSON, resultStream } from './result-stream.ts';
import { snapshotRoutes } from './snapshots.ts';
import { sshRoutes } from './ssh.ts';

export interface NestApi {
  paths: Paths;
  guestImages: GuestImages;
  host: HostCapacity;
  status: () => EngineStatus;
  /** Begins the end of the engine. */
  stop: () => void;
}

/** What nest adds to the Docker Engine API; the table is in src/api.ts. */
export function nestRoutes(ctx: Context, api: NestApi): Route[] {
  const find = (call: Call) => findGuest(ctx, call.params['guest'] ?? '');
  return [
    { method: 'GET', path: '/nest/status', handle: () => ({ status: 200, json: api.status() }) },
    {
      method: 'POST',
      path: '/nest/stop',
      handle: () => {
        // After this reply: stopping closes its connection.
        setImmediate(() => api.stop());
        return { status: 202 };
      },
    },
    {
      method: 'GET',
      path: '/nest/guests',
      handle: async ({ query }) => {
        const usage = (guest: GuestRecord) => (flag(query, 'usage') ? guestUsage(ctx, guest) : null);
        const guests = (await ctx.link.open()).list();
        const described = guests.map(async (guest) => describeGuest(ctx, guest, await usage(guest)));
        return { status: 200, json: await Promise.all(described) };
      },
    },
    {
      method: 'GET',
      path: '/nest/guests/:guest',
      handle: async (call) => ({ status: 200, json: await showGuest(ctx, await find(call)) }),
    },
    {
      method: 'POST',
      path: '/nest/guests/:guest/restart-agent',
      handle: async (call) => {
        await restartAgent(ctx, await find(call));
        return { status: 204 };
      },
    },
    ...Object.entries(CHANGES).map(([verb, change]): Route => ({
      method: 'POST',
      path: `/nest/guests/:guest/${verb}`,
      handle: async (call) => {
        const guest = await find(call);
        return resultStream(ctx, call, async (progress, signal) => {
          await change(ctx, guest, progress, signal);
          return describeGuest(ctx, await findGuest(ctx, guest.id), null);
        });
      },
    })),
    {
      method: 'POST',
      path: '/nest/guests/:guest/resize',
      handle: async (call) => {
        const guest = await find(call);
        await resizeGuest(ctx, guest, await call.json(GuestResize), api.host);
        return { status: 200, json: describeGuest(ctx, await findGuest(ctx, guest.id), null) };
      },
    },
    ...snapshotRoutes(ctx),
    {
      method: 'GET',
      path: '/nest/guests/:guest/console',
      handle: (call) => consoleReply(ctx, api.paths, call),
    },
    {
      method: 'DELETE',
      path: '/nest/guests/:guest',
      handle: async (call) => {
        await deleteGuest(ctx, await find(call), flag(call.query, 'force'));
        return { status: 204 };
      },
    },
    ...guestImageRoutes(ctx, api.guestImages),
    ...sshRoutes(ctx),
    {
      method: 'GET',
      path: '/nest/disk',
      handle: async () => ({ status: 200, json: await diskUsage(ctx, api.paths) }),
    },
    {
      method: 'POST',
      path: '/nest/check',
      handle: (call) =>
        resultStream(ctx, call, (progress, signal) =>
          ctx.images.check({ repair: flag(call.query, 'repair'), progress, signal }),
        ),
    },
    {
      method: 'GET',
      path: '/nest/deployments',
      handle: async () => ({ status: 200, json: await listDeployments(ctx) }),
    },
    {
      method: 'POST',
      path: '/nest/deployments',
      handle: async (call) => {
        const request = await call.json(DeployRequest);
        return resultStream(ctx, call, (progress, signal) => deploy(ctx, request, progress, signal));
      },
    },
    {
      method: 'DELETE',
      path: '/nest/deployments/:project',
      handle: (call) =>
        resultStream(ctx, call, (progress) =>
          takeDown(ctx, call.params['project'] ?? '', progress, flag(call.query, 'volumes')),
        ),
    },
    { method: 'GET', path: '/nest/progress', handle: (call) => zoneProgress(ctx, call) },
  ];
}

function zoneProgress(ctx: Context, { query, signal }: Call): Reply {
  const zone = query.get('zone') ?? 'default';
  const stream = jsonLines(async (emit) => {
    const end = ctx.progress.watch(zone, emit);
    if (!signal.aborted) await once(signal, 'abort');
    end();
  });
  return { status: 200, stream, contentType: NDJSON };
}

/** The verbs of a guest's life that end in another state of it. */
const CHANGES = { stop: stopGuest, start: startGuest, reboot: rebootGuest, pause: pauseGuest, resume: resumeGuest };
