import { randomBytes } from 'node:crypto';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import type { NetworkRecord } from '../state/networks.ts';
import { BRIDGE, isPredefined } from './predefined.ts';
import { freeRange, givenRange } from './subnets.ts';

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
  const { name, zone, subnet, gateway, internal, labels } = request;
  const { networks } = ctx.state;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name))
    throw new NestError('invalid-input', `invalid network name \`${name.slice(0, 128)}\``, {
      hint: 'up to 128 letters, digits, _ . and -, a letter or digit first',
    });
  if (isPredefined(name) || networks.all().some((other) => other.name === name))
    throw new NestError('conflict', `network with name ${name} already exists`, { hint: 'choose another name' });
  const used = [BRIDGE.subnet, ...networks.all().map((other) => other.subnet)];
  const range = subnet === undefined ? freeRange(used) : givenRange(subnet, gateway, used);
  const id = randomBytes(32).toString('hex');
  const network = { id, name, zone, ...range, internal, labels, createdAt: Date.now() };
  networks.save(network);
  return network;
}

/** @throws NestError `not-found`, `not-permitted` for one that always is, `conflict` while containers are in it */
export function removeNetwork(ctx: Context, reference: string): NetworkRecord {
  if (isPredefined(reference))
    throw new NestError('not-permitted', `${reference} is a pre-defined network and cannot be removed`);
  const network = ctx.state.networks.find(reference);
  const members = membersOf(ctx, network.id).map(({ record }) => record.name);
  if (members.length > 0)
    throw new NestError(
      'conflict',
      `remove network \`${network.name}\`: it has containers: ${members.slice(0, 5).join(', ')}`,
      {
        hint: `remove them first: nest rm --force ${members.slice(0, 5).join(' ')}`,
      },
    );
  ctx.state.networks.delete(network.id);
  return network;
}

/** Removes those that no container is in. @param wanted none but these */
export function pruneNetworks(ctx: Context, wanted: (network: NetworkRecord) => boolean): NetworkRecord[] {
  const unused = ctx.state.networks
    .all()
    .filter((network) => wanted(network) && membersOf(ctx, network.id).length === 0);
  for (const { id } of unused) ctx.state.networks.delete(id);
  return unused;
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
