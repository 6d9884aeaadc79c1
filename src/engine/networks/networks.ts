import { randomBytes } from 'node:crypto';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import type { NetworkRecord } from '../state/networks.ts';
import { BRIDGE, isPredefined } from './predefined.ts';
import { freeRange, givenRange, type Range } from '../../subnets.ts';

export interface NetworkRequest {
  name: string;
  zone: string | null;
  subnet?: string | undefined;
  gateway?: string | undefined;
  internal: boolean;
  labels: Record<string, string>;
}

/** @throws NestError `conflict` when the name or the subnet is in use, `invalid-input` */
export function createNetwork(ctx: Context, request: NetworkRequest): NetworkRecord {
  const { name, zone, internal, labels } = request;
  const { networks } = ctx.state;
  const range = rangeFor(request, networks.all());
  const id = randomBytes(32).toString('hex');
  const network = { id, name, zone, ...range, internal, labels, createdAt: Date.now() };
  networks.save(network);
  return network;
}

/** The addresses of a network that can be made beside these others. @throws what createNetwork throws */
export function rangeFor(
  { name, subnet, gateway }: NetworkRequest,
  others: readonly Pick<NetworkRecord, 'name' | 'subnet'>[],
): Range {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name))
    throw new NestError('invalid-input', `invalid network name \`${name.slice(0, 128)}\``, {
      hint: 'up to 128 letters, digits, _ . and -, a letter or digit first',
    });
  if (isPredefined(name) || others.some((other) => other.name === name))
    throw new NestError('conflict', `network with name ${name} already exists`, { hint: 'choose another name' });
  const used = [BRIDGE.subnet, ...others.map((other) => other.subnet)];
  if (subnet !== undefined) return givenRange(subnet, gateway, used);
  if (gateway === undefined) return freeRange(used);
  throw new NestError(
    'invalid-input',
    `gateway \`${gateway.slice(0, 64)}\`: it goes with a subnet, and there is none`,
    {
      hint: 'name the subnet, too, or leave the gateway out',
    },
  );
}

/** @throws NestError `not-found`, `not-permitted` for one that always is, `conflict` while containers are in it */
export function removeNetwork(ctx: Context, reference: string): NetworkRecord {
  if (isPredefined(reference))
    throw new NestError('not-permitted', `${reference} is a pre-defined network and cannot be removed`);
  const network = ctx.state.networks.find(reference);
  refuseMembers(ctx, network);
  ctx.state.networks.delete(network.id);
  return network;
}

/**
 * @param counted which of its containers count
 * @throws NestError `conflict` for a network that cannot be removed, since containers are in it
 */
export function refuseMembers(ctx: Context, { id, name }: NetworkRecord, counted = anyContainer): void {
  const members = membersOf(ctx, id).filter(counted);
  if (members.length === 0) return;
  const names = members.slice(0, 5).map(({ record }) => record.name);
  throw new NestError('conflict', `remove network \`${name}\`: it has containers: ${names.join(', ')}`, {
    hint: `remove them first: nest rm --force ${names.join(' ')}`,
  });
}

/** Removes those that no container is in. @param wanted none but these */
export function pruneNetworks(ctx: Context, wanted: (network: NetworkRecord) => boolean): NetworkRecord[] {
  const unused = ctx.state.networks
    .all()
    .filter((network) => wanted(network) && membersOf(ctx, network.id).length === 0);
  for (const { id } of unused) ctx.state.networks.delete(id);
  return unused;
}

/**
 * The zone that its containers are in, which is that of the first where nobody said; null while it could be any.
 *
 * @param counted which of its containers count
 */
export function zoneOf(ctx: Context, { id, zone }: NetworkRecord, counted = anyContainer): string | null {
  return zone ?? membersOf(ctx, id).find(counted)?.record.zone ?? null;
}

/** Running or not. */
export function membersOf(ctx: Context, id: string): Container[] {
  return ctx.state.containers.all().filter(({ record }) => networkIdsOf(record.spec).includes(id));
}

/** Of those that somebody made. */
export function networkIdsOf({ network }: Container['record']['spec']): string[] {
  return network?.mode === 'bridge'
    ? network.attachments.map((attachment) => attachment.network).filter((id) => id !== BRIDGE.id)
    : [];
}

const anyContainer: (container: Container) => boolean = () => true;
