import * as v from 'valibot';
import { LABELS, ZoneName } from '../../api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { createNetwork, membersOf, pruneNetworks, removeNetwork } from '../networks/networks.ts';
import { PREDEFINED } from '../networks/predefined.ts';
import type { NetworkRecord } from '../state/networks.ts';
import { networkDetails, predefinedDetails } from './network-json.ts';
import { refuseNetwork } from './unsupported.ts';
import { filters, isTrue, matchesLabels, untilOf } from './query.ts';

/** Networks, in the Docker Engine API's shapes. The label `nest.zone` says which zone one is in. */
export function networkRoutes(ctx: Context): Route[] {
  return [
    { method: 'GET', path: '/networks', handle: (call) => list(ctx, call) },
    { method: 'POST', path: '/networks/create', handle: (call) => create(ctx, call) },
    { method: 'POST', path: '/networks/prune', handle: (call) => prune(ctx, call) },
    { method: 'POST', path: '/networks/:id/connect', handle: refuseChange },
    { method: 'POST', path: '/networks/:id/disconnect', handle: refuseChange },
    { method: 'GET', path: '/networks/:id', handle: (call) => inspect(ctx, call) },
    {
      method: 'DELETE',
      path: '/networks/:id',
      handle(call) {
        removeNetwork(ctx, call.params['id'] ?? '');
        return { status: 204 };
      },
    },
  ];
}

function list(ctx: Context, { query }: Call): Reply {
  const wanted = filters(query, ['id', 'name', 'label', 'driver', 'scope', 'type', 'dangling']);
  const any = (name: string, test: (value: string) => boolean) => wanted.get(name)?.some(test) ?? true;
  const matches = (id: string, name: string, driver: string, network?: NetworkRecord) =>
    any('id', (prefix) => id.startsWith(prefix)) &&
    any('name', (part) => name.includes(part.replace(/^\^/, '').replace(/\$$/, ''))) &&
    any('driver', (value) => value === driver) &&
    any('scope', (value) => value === 'local') &&
    any('type', (value) => value === (network === undefined ? 'builtin' : 'custom')) &&
    any('dangling', (value) => (network !== undefined && membersOf(ctx, id).length === 0) === isTrue(value)) &&
    matchesLabels(network?.labels ?? {}, wanted.get('label'));
  const fixed = PREDEFINED.filter(({ id, name }) => matches(id, name, name === 'none' ? 'null' : name));
  const made = ctx.state.networks.all().filter((network) => matches(network.id, network.name, 'bridge', network));
  return {
    status: 200,
    json: [
      ...fixed.map(({ id, name }) => predefinedDetails(id, name)),
      ...made.map((network) => networkDetails(ctx, network)),
    ],
  };
}

function inspect(ctx: Context, { params }: Call): Reply {
  const reference = params['id'] ?? '';
  const fixed = PREDEFINED.find(({ id, name }) => name === reference || id === reference);
  const json =
    fixed === undefined
      ? networkDetails(ctx, ctx.state.networks.find(reference))
      : predefinedDetails(fixed.id, fixed.name);
  return { status: 200, json };
}

async function create(ctx: Context, call: Call): Promise<Reply> {
  const body = await call.json(CreateBody);
  refuseNetwork(body);
  const labels = body.Labels ?? {};
  const [range] = body.IPAM?.Config ?? [];
  const zone = labels[LABELS.zone];
  if (zone !== undefined && !v.is(ZoneName, zone))
    throw new NestError('invalid-input', `label \`${LABELS.zone}\` is not a zone's name`);
  const { id } = createNetwork(ctx, {
    name: body.Name,
    zone: zone ?? null,
    subnet: range?.Subnet || undefined,
    gateway: range?.Gateway || undefined,
    internal: body.Internal ?? false,
    labels,
  });
  return { status: 201, json: { Id: id, Warning: '' } };
}

function prune(ctx: Context, { query }: Call): Reply {
  const wanted = filters(query, ['label', 'until']);
  const until = untilOf(wanted);
  const removed = pruneNetworks(
    ctx,
    ({ labels, createdAt }) => createdAt < until && matchesLabels(labels, wanted.get('label')),
  );
  return { status: 200, json: { NetworksDeleted: removed.map(({ name }) => name) } };
}

/** A container's networks are made with it. */
function refuseChange(): never {
  throw new NestError('unsupported', "change a container's networks: not supported by nest yet", {
    hint: 'run it anew with --network, once for each of its networks',
  });
}

const text = v.pipe(v.string(), v.maxLength(4096));
/** What is not named here is refused where it asks for something. */
const CreateBody = v.looseObject({
  Name: text,
  Internal: v.nullish(v.boolean()),
  IPAM: v.nullish(
    v.looseObject({
      Config: v.nullish(v.array(v.looseObject({ Subnet: v.nullish(text), Gateway: v.nullish(text) }))),
    }),
  ),
  Labels: v.nullish(v.record(text, text)),
});
