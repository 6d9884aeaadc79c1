import { macOf } from '../../../guest-agent/network/mac.ts';
import type { Context } from '../context.ts';
import { BRIDGE } from '../networks/predefined.ts';
import { membersOf, zoneOf } from '../networks/networks.ts';
import type { Container } from '../state/record.ts';
import type { NetworkRecord } from '../state/networks.ts';
import { isUp } from '../containers/observe.ts';

/** GET /networks/{id}. */
export function networkDetails(ctx: Context, network: NetworkRecord): Record<string, unknown> {
  const { id, name, subnet, gateway, internal, labels, createdAt } = network;
  const members = membersOf(ctx, id).filter(isUp);
  return {
    ...common(id, name, 'bridge', createdAt),
    Internal: internal,
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: subnet, Gateway: gateway }] },
    Containers: Object.fromEntries(members.map((container) => [container.record.id, member(container, network)])),
    Labels: labels,
    Nest: { Zone: zoneOf(ctx, network) ?? '' },
  };
}

/** Those that always are. */
export function predefinedDetails(id: string, name: string): Record<string, unknown> {
  const config = name === 'bridge' ? [{ Subnet: BRIDGE.subnet, Gateway: BRIDGE.gateway }] : [];
  return {
    ...common(id, name, name === 'none' ? 'null' : name, 0),
    Internal: false,
    IPAM: { Driver: 'default', Options: null, Config: config },
    Containers: {},
    Labels: {},
  };
}

function common(id: string, name: string, driver: string, createdAt: number) {
  return {
    Name: name,
    Id: id,
    Created: new Date(createdAt).toISOString(),
    Scope: 'local',
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: {},
  };
}

function member({ record, state }: Container, { id, subnet }: NetworkRecord) {
  const address = state.addresses?.[id] ?? '';
  return {
    Name: record.name,
    EndpointID: endpointId(record.id, id),
    MacAddress: hardwareAddress(address),
    IPv4Address: address === '' ? '' : `${address}/${subnet.split('/')[1]}`,
    IPv6Address: '',
  };
}

/** NetworkSettings.Networks of a container. */
export function containerNetworks(ctx: Context, { record, state }: Container): Record<string, EndpointJson> {
  const { network } = record.spec;
  if (network === undefined || network.mode === 'container') return {};
  if (network.mode !== 'bridge') return { [network.mode]: endpoint({ id: '', endpoint: '' }) };
  return Object.fromEntries(
    network.attachments.map((attachment) => {
      const known = ctx.state.networks.get(attachment.network);
      const name = attachment.network === BRIDGE.id ? BRIDGE.name : (known?.name ?? attachment.network.slice(0, 12));
      const running = state.status === 'running';
      return [
        name,
        endpoint({
          id: attachment.network,
          endpoint: running ? endpointId(record.id, attachment.network) : '',
          address: running ? state.addresses?.[attachment.network] : undefined,
          gateway: attachment.gateway,
          prefix: Number(attachment.subnet.split('/')[1]),
          names: attachment.names.filter((each) => !each.endsWith(`.${name}`)),
        }),
      ];
    }),
  );
}

/** NetworkSettings of GET /containers/{id}/json; Docker repeats the default network's address beside the others. */
export function networkSettings(ctx: Context, container: Container, ports: unknown): Record<string, unknown> {
  const networks = containerNetworks(ctx, container);
  const { IPAddress = '', Gateway = '', MacAddress = '', IPPrefixLen = 0 } = networks[BRIDGE.name] ?? {};
  return { Ports: ports, IPAddress, Gateway, MacAddress, IPPrefixLen, Networks: networks };
}

/** HostConfig.NetworkMode. */
export function networkMode(ctx: Context, { record }: Container): string {
  const { network } = record.spec;
  if (network === undefined) return 'default';
  if (network.mode === 'container') return `container:${network.container}`;
  if (network.mode !== 'bridge') return network.mode;
  const [first] = network.attachments;
  return ctx.state.networks.get(first?.network ?? '')?.name ?? BRIDGE.name;
}

type EndpointJson = ReturnType<typeof endpoint>;

function endpoint(of: {
  id: string;
  endpoint: string;
  address?: string | undefined;
  gateway?: string;
  prefix?: number;
  names?: string[];
}) {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: of.names ?? null,
    MacAddress: hardwareAddress(of.address ?? ''),
    NetworkID: of.id,
    EndpointID: of.endpoint,
    Gateway: of.address === undefined ? '' : (of.gateway ?? ''),
    IPAddress: of.address ?? '',
    IPPrefixLen: of.address === undefined ? 0 : (of.prefix ?? 0),
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: of.names ?? null,
  };
}

/** `02:42:0a:05:00:07`; none without an address. */
const hardwareAddress = (address: string) =>
  address === '' ? '' : [...macOf(address)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** One for each pair, as Docker has them: nothing is found by it. */
const endpointId = (container: string, network: string) => container.slice(0, 32) + network.slice(0, 32);
