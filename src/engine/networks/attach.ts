import * as v from 'valibot';
import { type Attachment, ContainerSpec, HostName, type Lookup, type Network } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { checkAddress } from '../../subnets.ts';
import type { Context } from '../context.ts';
import { parseInput } from '../input.ts';
import type { NetworkRecord } from '../state/networks.ts';
import { zoneOf } from './networks.ts';
import { BRIDGE } from './predefined.ts';

/** How a client asks for a container to be connected. */
export interface NetworkWish {
  /** `default`: a loopback interface alone, which published ports lead to. */
  mode: 'default' | 'none' | 'host' | 'bridge' | { container: string } | { networks: Endpoint[] };
  lookup: Lookup | null;
}

export interface Endpoint {
  network: string;
  aliases: string[];
  address: string | null;
}

/** A container, as others of its networks know it. */
export interface Joining {
  id: string;
  name: string;
  zone: string;
  hostname: string;
}

/** What a container can be connected to. Both throw NestError `not-found`. */
export interface Neighbours {
  network(reference: string): NetworkRecord;
  /** Null while it could be any. */
  zoneOf(network: NetworkRecord): string | null;
  container(reference: string): Pick<Joining, 'id' | 'name' | 'zone'>;
}

export const present = (ctx: Context): Neighbours => ({
  network: (reference) => ctx.state.networks.find(reference),
  zoneOf: (network) => zoneOf(ctx, network),
  container: (reference) => ctx.state.containers.find(reference).record,
});

/**
 * A container's network and lookup as its agent takes them: what it would refuse boots no guest, and is in no row that
 * cannot be read back. Without a network: one that asked for none.
 *
 * @throws NestError `not-found`, `conflict` for a network of another zone, or a container that cannot be joined,
 * `invalid-input`
 */
export function connectionOf(wish: NetworkWish, joining: Joining, neighbours: Neighbours): Connection {
  const network = networkOf(wish, joining, neighbours);
  const connection = { ...(network && { network }), ...(wish.lookup !== null && { lookup: wish.lookup }) };
  return parseInput(Connection, connection, `create container \`${joining.name}\``);
}

function networkOf({ mode, lookup }: NetworkWish, joining: Joining, neighbours: Neighbours): Network | undefined {
  if (mode === 'default') return lookup === null ? undefined : { mode: 'none' };
  if (mode === 'none' || mode === 'host') return { mode };
  if (mode === 'bridge') return { mode, attachments: [defaultAttachment()] };
  if ('container' in mode) {
    const target = neighbours.container(mode.container);
    refuseZone(`join the network of container \`${target.name}\``, target.zone, joining.zone);
    return { mode: 'container', container: target.id };
  }
  const attachments = mode.networks.map((endpoint) => attachmentOf(endpoint, joining, neighbours));
  const twice = attachments.findIndex(({ network }, at) => attachments.some((a, b) => b < at && a.network === network));
  if (twice !== -1)
    throw new NestError('invalid-input', `join network \`${mode.networks[twice]?.network}\`: it is named twice`);
  return { mode: 'bridge', attachments };
}

function attachmentOf({ network: reference, aliases, address }: Endpoint, own: Joining, all: Neighbours): Attachment {
  const network = all.network(reference);
  refuseZone(`join network \`${network.name}\``, all.zoneOf(network) ?? own.zone, own.zone);
  if (address !== null) checkAddress(address, network);
  const names = [own.name, ...aliases, own.hostname, own.id.slice(0, 12)];
  return {
    network: network.id,
    subnet: network.subnet,
    gateway: network.gateway,
    internal: network.internal,
    resolves: true,
    // A container's name may be none of a host, as may what follows from an alias; an alias itself must be one.
    names: [...new Set(names.flatMap((each) => [each, `${each}.${network.name}`]))].filter(
      (each) => aliases.includes(each) || v.is(HostName, each),
    ),
    ...(address !== null && { address }),
  };
}

function refuseZone(operation: string, theirs: string, own: string): void {
  if (theirs === own) return;
  throw new NestError(
    'conflict',
    `${operation}: it is in zone \`${theirs}\`, the container is to be in zone \`${own}\``,
    { hint: 'containers of different zones share no network: give both the same zone' },
  );
}

const defaultAttachment = (): Attachment => ({
  network: BRIDGE.id,
  subnet: BRIDGE.subnet,
  gateway: BRIDGE.gateway,
  internal: false,
  resolves: false,
  names: [],
});

const Connection = v.pick(ContainerSpec, ['network', 'lookup']);
type Connection = v.InferOutput<typeof Connection>;
