import { Readable } from 'node:stream';
import type { FileStat } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { decompressed } from '../../images/decompress.ts';
import { copyIn, copyOut, statFile } from '../containers/copy.ts';
import { containerChanges, exportContainer } from '../containers/files.ts';
import type { Context } from '../context.ts';
import type { Call, Route } from '../http/route.ts';
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
    {
      method: 'HEAD',
      path: '/containers/:id/archive',
      handle: async (call) => {
        const found = await statFile(ctx, await findContainer(ctx, call), pathOf(call));
        return { status: 200, headers: statHeader(found) };
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/archive',
      handle: async (call) => {
        const container = await findContainer(ctx, call);
        const found = await statFile(ctx, container, pathOf(call));
        const stream = await copyOut(ctx, container, pathOf(call), call.signal);
        return { status: 200, stream, contentType: 'application/x-tar', headers: statHeader(found) };
      },
    },
    {
      method: 'PUT',
      path: '/containers/:id/archive',
      handle: async (call) => {
        const archive = Readable.from(decompressed(call.body), { objectMode: false });
        await copyIn(ctx, await findContainer(ctx, call), { path: pathOf(call), archive, signal: call.signal });
        return { status: 200 };
      },
    },
  ];
}

function pathOf({ query }: Call): string {
  const path = query.get('path') ?? '';
  if (path === '') throw new NestError('invalid-input', 'query `path`: missing');
  return path.startsWith('/') ? path : `/${path}`;
}

/** https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerArchiveInfo */
function statHeader({ name, mode, size, modifiedAt, linkTarget }: FileStat): Record<string, string> {
  const stat = { name, size, mode: goFileMode(mode), mtime: new Date(modifiedAt).toISOString(), linkTarget };
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}

/** Go's io/fs.FileMode has bits of its own for what stat(2) has in `st_mode`. */
function goFileMode(mode: number): number {
  const type = GO_TYPES.get(mode & 0o170000) ?? 0;
  const special = [0o4000, 0o2000, 0o1000].map((bit, index) => (mode & bit ? (GO_SPECIAL[index] ?? 0) : 0));
  return (mode & 0o777) + type + special.reduce((sum, bit) => sum + bit, 0);
}

/** Directory, link, block device, character device, pipe, socket. */
const GO_TYPES = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
]);
/** Set-user-ID, set-group-ID, sticky. */
const GO_SPECIAL = [2 ** 23, 2 ** 22, 2 ** 20];

/** https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerChanges */
const KINDS = { C: 0, A: 1, D: 2 } as const;
