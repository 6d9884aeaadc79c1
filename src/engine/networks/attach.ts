import * as v from 'valibot';
import { type Attachment, HostName, type Lookup, type Network } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { ContainerRecord } from '../state/record.ts';
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
      // A container's name may be none of a host, as may what follows from an alias; an alias itself must be one.
      names: [...new Set(names.flatMap((each) => [each, `${each}.${network.name}`]))].filter(
        (each) => aliases.includes(each) || v.is(HostName, each),
      ),
      ...(address !== null && { address }),
    };
  });
  return { mode: 'bridge', attachments };
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
