import type { Attachment, ContainerSpec } from '../api.ts';
import type { Clock } from '../clock.ts';
import type { Container } from '../container/container.ts';
import { conflict, invalid, report } from '../errors.ts';
import { freeAddress } from './addresses.ts';
import { directory } from './directory.ts';
import { contains, overlap, parseAddress, parseSubnet, type Subnet } from './ipv4.ts';
import { type Resolver, serveNames } from './resolver.ts';
import { bridgeName, isBridge, type Switch } from './switch.ts';
import type { Plug } from './wiring.ts';

/**
 * The networks of this guest. A network is there as long as a container is in it, and some seconds longer; nothing but the
 * containers' specifications remembers it.
 */
export interface Networks {
  /**
   * Addresses for a new container, by network, whose bridges are made.
   *
   * @throws RequestError 409 when an address is taken, or a subnet by another network
   */
  admit(spec: ContainerSpec): Record<string, string>;
  /** What the container's process plugs its cable into. */
  plugs(container: Pick<Container, 'spec' | 'state'>): Plug[];
  /** A container was removed. */
  left(): void;
  /** After a start of the agent or of the guest: what containers need is made, what nobody needs is removed. */
  restore(): void;
  close(): void;
}

interface Made {
  subnet: Subnet;
  bridge: number;
  resolver: Resolver | undefined;
  /** Address that was given away last. */
  last?: string;
}

export interface NetworkRuntime {
  kernel: Switch;
  clock: Clock;
  containers: Map<string, Container>;
}

export function openNetworks(runtime: () => NetworkRuntime): Networks {
  const made = new Map<string, Made>();
  let cancel = () => {};

  const used = () => {
    const all = [...runtime().containers.values()].flatMap(({ spec }) => attachmentsOf(spec));
    return new Map(all.map((attachment) => [attachment.network, attachment]));
  };

  const remove = (network: string) => {
    made.get(network)?.resolver?.close();
    made.delete(network);
    runtime().kernel.removeBridge(bridgeName(network));
  };

  const sweep = () => {
    const needed = used();
    for (const network of made.keys()) if (!needed.has(network)) remove(network);
  };

  const make = (attachment: Attachment): Made => {
    const { network, gateway } = attachment;
    const existing = made.get(network);
    const subnet = subnetOf(attachment);
    if (existing !== undefined) {
      if (existing.subnet.base === subnet.base && existing.subnet.prefix === subnet.prefix) return existing;
      throw conflict(`join network \`${network}\`: it is here with another subnet`);
    }
    sweep();
    for (const [other, { subnet: theirs }] of made)
      if (overlap(subnet, theirs))
        throw conflict(`make network \`${network}\`: network \`${other}\` has ${attachment.subnet}`);
    const { kernel } = runtime();
    kernel.removeBridge(bridgeName(network)); // One that an earlier agent had half made.
    return keep(attachment, kernel.makeBridge(bridgeName(network), gateway, subnet.prefix));
  };

  /** The bridge is there: what belongs to it is opened. */
  const keep = (attachment: Attachment, bridge: number): Made => {
    const { network, gateway, resolves } = attachment;
    const { kernel, containers } = runtime();
    const names = directory(() => containers.values(), network);
    const resolver = resolves
      ? serveNames(kernel.openDatagramSocket(bridgeName(network), gateway, DNS_PORT), names)
      : undefined;
    const entry: Made = { subnet: subnetOf(attachment), bridge, resolver };
    made.set(network, entry);
    return entry;
  };

  const addressIn = (attachment: Attachment): string => {
    const entry = make(attachment);
    const { network, subnet, gateway, address: wanted } = attachment;
    const taken = [...runtime().containers.values()].flatMap(({ state }) => state.addresses?.[network] ?? []);
    const address = freeAddress(subnet, new Set([gateway, ...taken]), { last: entry.last, wanted });
    entry.last = address;
    return address;
  };

  return {
    admit(spec) {
      const attachments = attachmentsOf(spec);
      if (new Set(attachments.map(({ network }) => network)).size < attachments.length)
        throw invalid(`join networks: one of them is named twice`);
      return Object.fromEntries(attachments.map((attachment) => [attachment.network, addressIn(attachment)]));
    },

    plugs: ({ spec, state }) =>
      attachmentsOf(spec).map((attachment) => {
        const { bridge, subnet } = make(attachment);
        const address = state.addresses?.[attachment.network] ?? '';
        return { bridge, address, prefix: subnet.prefix, internal: attachment.internal };
      }),

    left() {
      cancel();
      cancel = runtime().clock.after(LINGER, sweep);
    },

    restore() {
      const needed = used();
      for (const [name, bridge] of runtime().kernel.interfaces()) {
        if (!isBridge(name)) continue;
        const attachment = needed.values().find(({ network }) => bridgeName(network) === name);
        if (attachment === undefined) runtime().kernel.removeBridge(name);
        else if (!made.has(attachment.network)) keep(attachment, bridge); // Containers run on it.
      }
      for (const attachment of needed.values())
        try {
          make(attachment);
        } catch (error) {
          report(`make network \`${attachment.network}\``, error);
        }
    },

    close() {
      cancel();
      for (const { resolver } of made.values()) resolver?.close();
    },
  };
}

export const attachmentsOf = ({ network }: ContainerSpec): Attachment[] =>
  network?.mode === 'bridge' ? network.attachments : [];

/** @throws RequestError 400 */
function subnetOf({ subnet: text, gateway }: Attachment): Subnet {
  try {
    const subnet = parseSubnet(text);
    if (subnet.prefix < 8 || subnet.prefix > 29) throw new RangeError(`\`${text}\`: not from /8 to /29`);
    if (!contains(subnet, parseAddress(gateway))) throw new RangeError(`\`${gateway}\`: not in ${text}`);
    return subnet;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(`read subnet ${error.message}`);
  }
}

const DNS_PORT = 53;
/** Milliseconds that a network stays when its last container has left: often another one follows. */
const LINGER = 5000;
