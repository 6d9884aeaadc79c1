import type { Image } from '../../images/images.ts';
import { familiarName } from '../../images/images.ts';
import { isUp } from '../containers/observe.ts';
import { findImage } from '../containers/create.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { imageDetails, imageHistory, imageSummary, nameOf } from './image-json.ts';
import { filters, flag, isTrue, matchesLabels, matchesReference, untilOf } from './query.ts';

/** The images of this host, in the Docker Engine API's shapes; how they come and go is in image-transfer.ts. */
export function imageRoutes(ctx: Context): Route[] {
  const find = ({ params }: Call) => findImage(ctx, params['name'] ?? '');
  return [
    { method: 'GET', path: '/images/json', handle: (call) => list(ctx, call) },
    {
      method: 'GET',
      path: '/images/:name(.+)/json',
      handle: async (call) => ({ status: 200, json: imageDetails(await find(call)) }),
    },
    {
      method: 'GET',
      path: '/images/:name(.+)/history',
      handle: async (call) => ({ status: 200, json: imageHistory(await find(call)) }),
    },
    { method: 'POST', path: '/images/:name(.+)/tag', handle: (call) => tag(ctx, call) },
    { method: 'POST', path: '/images/prune', handle: (call) => prune(ctx, call) },
    { method: 'DELETE', path: '/images/:name(.+)', handle: (call) => remove(ctx, call) },
  ];
}

async function list(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['reference', 'label', 'dangling']);
  const references = wanted.get('reference') ?? [];
  const [dangling] = wanted.get('dangling') ?? [];
  const kept = (await ctx.images.list())
    .filter((image) => references.length === 0 || references.some((pattern) => isCalled(image, pattern)))
    .filter((image) => dangling === undefined || isDangling(image) === isTrue(dangling))
    .filter(({ config }) => matchesLabels(config.Labels, wanted.get('label')));
  return { status: 200, json: kept.map((image) => imageSummary(image, containersOf(ctx, image.id).length)) };
}

async function tag(ctx: Context, { params, query }: Call): Promise<Reply> {
  const name = params['name'] ?? '';
  const image = await findImage(ctx, name);
  const reference = named(query.get('repo') ?? '', query.get('tag') ?? '');
  await ctx.images.tag(name, reference);
  ctx.events.emit({ type: 'image', action: 'tag', id: image.id, attributes: { name: reference } });
  return { status: 201 };
}

async function remove(ctx: Context, { params, query }: Call): Promise<Reply> {
  const image = await findImage(ctx, params['name'] ?? '');
  const { untagged, deleted } = await ctx.images.remove(params['name'] ?? '', {
    force: flag(query, 'force'),
    users: (id) =>
      containersOf(ctx, id).map((container) => ({ name: container.record.name, running: isUp(container) })),
  });
  const gone = untagged.map(familiarName);
  for (const name of gone) ctx.events.emit({ type: 'image', action: 'untag', id: image.id, attributes: { name } });
  for (const id of deleted) ctx.events.emit({ type: 'image', action: 'delete', id, attributes: { name: id } });
  return { status: 200, json: [...gone.map((Untagged) => ({ Untagged })), ...deleted.map((Deleted) => ({ Deleted }))] };
}

/** Images without a name that no container was made from; with the filter `dangling=false` those with names too. */
async function prune(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['dangling', 'until', 'label']);
  const all = ['0', 'false'].includes(wanted.get('dangling')?.[0] ?? '');
  const until = untilOf(wanted);
  const { removed, freed } = await ctx.images.prune(
    (image, references) =>
      (all || references.length === 0) &&
      containersOf(ctx, image.id).length === 0 &&
      Date.parse(image.created) < until &&
      matchesLabels(image.config.Labels, wanted.get('label')),
  );
  for (const image of removed)
    ctx.events.emit({ type: 'image', action: 'delete', id: image.id, attributes: { name: nameOf(image) } });
  const deleted = removed.flatMap(({ id, references }) => [
    ...references.map((name) => ({ Untagged: familiarName(name) })),
    { Deleted: id },
  ]);
  return { status: 200, json: { ImagesDeleted: deleted, SpaceReclaimed: freed } };
}

/** A name as the API has it: its tag, or digest, apart. */
export function named(name: string, tag: string): string {
  return tag === '' ? name : `${name}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`;
}

function containersOf(ctx: Context, imageId: string) {
  return ctx.state.containers.all().filter(({ record }) => record.image.id === imageId);
}

function isDangling({ references }: Image): boolean {
  return references.length === 0;
}

function isCalled({ references }: Image, pattern: string): boolean {
  return references.some((name) => [name, familiarName(name)].some((each) => matchesReference(each, pattern)));
}
