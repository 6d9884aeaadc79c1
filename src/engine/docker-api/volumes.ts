import * as v from 'valibot';
import { LABELS, ZoneName } from '../../api.ts';
import { NestError } from '../../errors.ts';
import { DEFAULT_SIZE, isAnonymous, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { createVolume } from '../volumes/create.ts';
import { giveToZone, removeVolume } from '../volumes/remove.ts';
import { usersOf } from '../volumes/users.ts';
import { seeGuests } from './find.ts';
import { volumeOptions } from './mounts.ts';
import { filters, flag, isTrue, matchesLabels } from './query.ts';
import { volumeJson, volumeName } from './volume-json.ts';

const text = v.pipe(v.string(), v.maxLength(4096));
const labels = v.nullish(v.record(text, text));

const CreateBody = v.looseObject({
  Name: v.nullish(text),
  Driver: v.nullish(text),
  DriverOpts: labels,
  Labels: labels,
});

/** Volumes, in the Docker Engine API's shapes; `Nest` says what is not Docker's. */
export function volumeRoutes(ctx: Context): Route[] {
  return [
    { method: 'GET', path: '/volumes', handle: (call) => list(ctx, call) },
    { method: 'POST', path: '/volumes/create', handle: (call) => create(ctx, call) },
    { method: 'POST', path: '/volumes/prune', handle: (call) => prune(ctx, call) },
    {
      method: 'GET',
      path: '/volumes/:name',
      handle: async (call) => ({ status: 200, json: await volumeJson(ctx, find(ctx, call)) }),
    },
    {
      method: 'DELETE',
      path: '/volumes/:name',
      async handle(call) {
        // Docker's `force` is about volumes that a plugin has lost.
        if (flag(call.query, 'force') && ctx.volumes.store.byName(call.params['name'] ?? '') === undefined)
          return { status: 204 };
        await seeGuests(ctx);
        await removeVolume(ctx, find(ctx, call));
        return { status: 204 };
      },
    },
    {
      method: 'PUT',
      path: '/nest/volumes/:name',
      async handle(call) {
        const { zone } = await call.json(v.strictObject({ zone: ZoneName }));
        await seeGuests(ctx);
        return { status: 200, json: await volumeJson(ctx, await giveToZone(ctx, find(ctx, call), zone)) };
      },
    },
  ];
}

async function list(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['dangling', 'driver', 'label', 'name']);
  const { dangling, driver, name } = Object.fromEntries(wanted);
  const found = ctx.volumes.store
    .list()
    .filter((volume) => name === undefined || name.some((part) => volume.name.includes(part)))
    .filter(({ id }) => dangling === undefined || dangling.some(isTrue) === (usersOf(ctx, id).length === 0))
    .filter((volume) => matchesLabels(volume.labels, wanted.get('label')))
    .filter(() => driver === undefined || driver.includes('local'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    status: 200,
    json: { Volumes: await Promise.all(found.map((each) => volumeJson(ctx, each))), Warnings: [] },
  };
}

/** One that is there already is what was asked for, as with Docker. */
async function create(ctx: Context, call: Call): Promise<Reply> {
  const body = await call.json(CreateBody);
  const { size } = volumeOptions(body.Driver, body.DriverOpts);
  const { [LABELS.zone]: zone = null, ...own } = body.Labels ?? {};
  if (zone !== null && !v.is(ZoneName, zone))
    throw new NestError('invalid-input', `create volume: label \`${LABELS.zone}\` is not a zone's name`);
  const { name, mark } = volumeName(body.Name);
  const volume = await ctx.volumes.inTurn(name, async () => {
    const known = ctx.volumes.store.byName(name);
    if (known === undefined)
      return createVolume(ctx, { name, zone, size: size ?? DEFAULT_SIZE, labels: { ...mark, ...own } });
    const differs =
      (size !== null && size !== known.size) || (zone !== null && known.zone !== null && zone !== known.zone);
    if (!differs) return zone === null || known.zone !== null ? known : ctx.volumes.store.change(known.id, { zone });
    throw new NestError('conflict', `create volume \`${name}\`: there is one with another size or zone`, {
      hint: `nest volume inspect ${name}`,
    });
  });
  return { status: 201, json: await volumeJson(ctx, volume) };
}

/** Those that no container has; of those with a name only where `all` says so, as with Docker. */
async function prune(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['all', 'label']);
  const all = wanted.get('all')?.some(isTrue) ?? false;
  await seeGuests(ctx);
  const unused = ctx.volumes.store
    .list()
    .filter((volume) => usersOf(ctx, volume.id).length === 0 && (all || isAnonymous(volume)))
    .filter((volume) => matchesLabels(volume.labels, wanted.get('label')));
  const removed: string[] = [];
  let freed = 0;
  for (const volume of unused) {
    const bytes = await ctx.volumes.store.allocated(volume.id);
    try {
      await removeVolume(ctx, volume);
    } catch (error) {
      // A container has taken it meanwhile, or a guest does not let go of its disk.
      ctx.log(`prune volume \`${volume.name}\`: ${String(error)}`);
      continue;
    }
    removed.push(volume.name);
    freed += bytes;
  }
  return { status: 200, json: { VolumesDeleted: removed, SpaceReclaimed: freed } };
}

function find(ctx: Context, { params }: Call): Volume {
  const name = params['name'] ?? '';
  const volume = ctx.volumes.store.byName(name);
  if (volume !== undefined) return volume;
  throw new NestError('not-found', `get ${name.slice(0, 128)}: no such volume`, {
    hint: '`nest volume ls` lists them',
  });
}
