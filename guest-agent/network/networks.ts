import type { Attachment, ContainerSpec } from '../api.ts';
import type { Clock } from '../clock.ts';
import type { Container } from '../container/container.ts';
import { conflict, invalid, report } from '../errors.ts';
import { freeAddress } from './addresses.ts';
import { directory } from './directory.ts';
import { contains, formatSubnet, overlap, parseAddress, parseSubnet, type Subnet } from './ipv4.ts';
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
  /** A container was removed, or refused. */
  left(spec: ContainerSpec): void;
  /** After a start of the agent or of the guest: what containers need is made, what nobody needs is removed. */
  restore(): void;
  close(): void;
}

/** What a container asks of a network. */
type Place = Omit<Attachment, 'subnet'> & { subnet: Subnet };

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

  /** Removes the bridges that nobody needs, also those that an earlier agent, or a refused container, left. */
  const sweep = () => {
    const needed = used();
    const names = new Set([...needed.keys()].map(bridgeName));
    for (const name of runtime().kernel.interfaces().keys())
      if (isBridge(name) && !names.has(name)) runtime().kernel.removeBridge(name);
    for (const [network, { resolver }] of made)
      if (!needed.has(network)) {
        resolver?.close();
        made.delete(network);
      }
  };

  const existing = ({ network, subnet }: Place): Made | undefined => {
    const entry = made.get(network);
    return entry?.subnet.base === subnet.base && entry.subnet.prefix === subnet.prefix ? entry : undefined;
  };

  /** @throws RequestError 409 */
  const make = ({ network, subnet, gateway, resolves }: Place): Made => {
    if (made.has(network)) throw conflict(`join network \`${network}\`: it is here with another subnet`);
    for (const [other, { subnet: theirs }] of made)
      if (overlap(subnet, theirs))
        throw conflict(`make network \`${network}\`: network \`${other}\` has ${formatSubnet(theirs)}`);
    const { kernel, clock, containers } = runtime();
    const name = bridgeName(network);
    const bridge = kernel.makeBridge(name, gateway, subnet.prefix);
    const names = directory(() => containers.values(), network);
    const resolver = resolves
      ? serveNames(kernel.openDatagramSocket(name, gateway, DNS_PORT), names, { clock, kernel })
      : undefined;
    const entry: Made = { subnet, bridge, resolver };
    made.set(network, entry);
    return entry;
  };

  const enter = (place: Place): Made => existing(place) ?? make(place);

  /** The networks of one container. What lingers of others is in nobody's way. */
  const join = (attachments: Attachment[]): { place: Place; entry: Made }[] => {
    const places = attachments.map(placeOf);
    if (!places.every(existing)) sweep();
    return places.map((place) => ({ place, entry: enter(place) }));
  };

  const addressIn = ({ network, gateway, address: wanted }: Place, entry: Made): string => {
    const taken = [...runtime().containers.values()].flatMap(({ state }) => state.addresses?.[network] ?? []);
    const address = freeAddress(entry.subnet, new Set([gateway, ...taken]), { last: entry.last, wanted });
    entry.last = address;
    return address;
  };

  return {
    admit(spec) {
      const attachments = attachmentsOf(spec);
      if (new Set(attachments.map(({ network }) => network)).size < attachments.length)
        throw invalid(`join networks: one of them is named twice`);
      return Object.fromEntries(join(attachments).map(({ place, entry }) => [place.network, addressIn(place, entry)]));
    },

    plugs: ({ spec, state }) =>
      join(attachmentsOf(spec)).map(({ place: { network, subnet, internal }, entry: { bridge } }) => ({
        bridge,
        address: state.addresses?.[network] ?? '',
        prefix: subnet.prefix,
        internal,
      })),

    left(spec) {
      if (attachmentsOf(spec).length === 0) return;
      cancel();
      cancel = runtime().clock.after(LINGER, () => attempt('remove networks', sweep));
    },

    restore() {
      attempt('remove networks', sweep);
      for (const attachment of used().values())
        attempt(`make network \`${attachment.network}\``, () => void enter(placeOf(attachment)));
    },

    close() {
      cancel();
      for (const { resolver } of made.values()) resolver?.close();
    },
  };
}

/** What cannot be done is tried again when a network is made, or left, the next time. */
function attempt(operation: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    report(operation, error);
  }
}

export const attachmentsOf = ({ network }: ContainerSpec): Attachment[] =>
  network?.mode === 'bridge' ? network.attachments : [];

/** @throws RequestError 400 */
const placeOf = (attachment: Attachment): Place => ({ ...attachment, subnet: subnetOf(attachment) });

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
