import { containerChanges, exportContainer } from '../containers/files.ts';
import type { Context } from '../context.ts';
import type { Route } from '../http/route.ts';
import { findContainer } from './find.ts';

/** Containers' files, in the Docker Engine API's shapes. */
export function fileRoutes(ctx: Context): Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/:id/changes',
      handle: async (call) => {
        const changes = await containerChanges(ctx, await findContainer(ctx, call), call.signal);
        return { status: 200, json: changes.map(({ kind, path }) => ({ Path: path, Kind: KINDS[kind] })) };
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/export',
      handle: async (call) => {
        const stream = await exportContainer(ctx, await findContainer(ctx, call), call.signal);
        return { status: 200, stream, contentType: 'application/x-tar' };
      },
    },
  ];
}

/** https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerChanges */
const KINDS = { C: 0, A: 1, D: 2 } as const;
