import type { Attachment, Lookup, Network } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { membersOf } from './networks.ts';
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

/** The guest that a container must share with others, and why. */
export interface Companions {
  guest: string;
  why: string;
}

/**
 * The container's network, as its agent is told; undefined for one that asked for none. A network without a zone gets the
 * container's.
 *
 * @throws NestError `not-found`, `conflict` for a network of another zone, or a container that cannot be joined
 */
export function networkOf(
  ctx: Context,
  { mode, lookup }: NetworkWish,
  { name, zone, spec }: ContainerRecord,
): Network | undefined {
  if (mode === 'default') return lookup === null ? undefined : { mode: 'none' };
  if (mode === 'none' || mode === 'host') return { mode };
  if (mode === 'bridge') return { mode, attachments: [defaultAttachment()] };
  if ('container' in mode) {
    const target = ctx.state.containers.find(mode.container);
    refuseZone(`join the network of container \`${target.record.name}\``, target.record.zone, zone);
    return { mode: 'container', container: target.record.id };
  }
  const attachments = mode.networks.map(({ network: reference, aliases, address }): Attachment => {
    const network = ctx.state.networks.find(reference);
    refuseZone(`join network \`${network.name}\``, network.zone ?? zone, zone);
    if (network.zone === null) ctx.state.networks.save({ ...network, zone });
    const names = [name, ...aliases, spec.hostname, spec.id.slice(0, 12)];
    return {
      network: network.id,
      subnet: network.subnet,
      gateway: network.gateway,
      internal: network.internal,
      resolves: true,
      names: [...new Set(names.flatMap((each) => [each, `${each}.${network.name}`]))].filter((each) =>
        HOST_NAME.test(each),
      ),
      ...(address !== null && { address }),
    };
  });
  return { mode: 'bridge', attachments };
}

/**
 * Where a container must be, as others that it shares a network with are there.
 *
 * @param networks ids of its networks, and of those of others that must be with it
 * @throws NestError `conflict` when they are in several guests
 */
export function companionsOf(
  ctx: Context,
  { id, name, spec }: ContainerRecord,
  networks: string[],
): Companions | undefined {
  const { network } = spec;
  const joined = network?.mode === 'container' ? [ctx.state.containers.find(network.container)] : [];
  const members = networks.flatMap((network) => membersOf(ctx, network));
  const placed = [...joined, ...members].filter(
    (other) => other.guest !== null && other.lost === null && other.record.id !== id,
  );
  const guests = new Map(placed.map((other) => [other.guest ?? '', other.record.name]));
  if (guests.size > 1)
    throw new NestError(
      'conflict',
      `place container \`${name}\`: its networks are in different guests, with ${[...guests.values()].slice(0, 3).join(' and ')}`,
      {
        hint: 'a network is in one guest: use one network for containers that belong together',
      },
    );
  const [first] = guests;
  return first && { guest: first[0], why: `shares a network with ${first[1]}` };
}

function refuseZone(operation: string, theirs: string, own: string): void {
  if (theirs === own) return;
  throw new NestError(
    'conflict',
    `${operation}: it is in zone \`${theirs}\`, the container is to be in zone \`${own}\``,
    {
      hint: 'containers of different zones share no network: give both the same zone',
    },
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

/** HostName of guest-agent/wire/network.ts: a container's name may be none. */
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*$/;
