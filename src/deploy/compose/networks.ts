import { isIPv4 } from 'node:net';
import { SUBNET_ADVICE, subnetOf } from '../../subnets.ts';
import type { ProjectNetwork, ServiceNetwork } from '../model.ts';
import { parseNetworkName } from './names.ts';
import { Invalid, quoted } from './problems.ts';
import { definitions, fields, list, scalar } from './read.ts';
import { parseFlag } from './settings.ts';
import { networkRefusal } from './unsupported.ts';
import { labelsReader } from './variables.ts';

/** A top-level network as the file has it; its name depends on the project's, its zone on its services'. */
export type NetworkFields = Omit<ProjectNetwork, 'name' | 'zone'> & { name: string | null };

/** The model's networks that services join, each in the zone of its services. */
export function projectNetworks(
  services: { zone: string; network: ServiceNetwork }[],
  defined: NetworkFields[],
  project: { name: string; zone: string },
): ProjectNetwork[] {
  const joined = new Map<string, ProjectNetwork>();
  const byName = Map.groupBy(defined, (fields) => networkName(fields, project.name));
  for (const { zone, network } of services)
    for (const { network: name } of network.mode === 'networks' ? network.endpoints : []) {
      joined.set(name, joined.get(name) ?? { ...(byName.get(name)?.[0] ?? DEFAULT_NETWORK), name, zone });
    }
  return [...joined.values()];
}

/** Named as Compose names them. */
export function networkName(
  { key, name, external }: Pick<NetworkFields, 'key' | 'name' | 'external'>,
  project: string,
) {
  return name ?? (external ? key : `${project}_${key}`);
}

/** Four numbers. */
export function parseAddress(text: string): string {
  if (isIPv4(text)) return text;
  throw new Invalid(`${quoted(text)} is no IPv4 address`, 'write one, such as 10.5.0.7');
}

function parseSubnet(text: string): string {
  if (subnetOf(text) !== undefined) return text;
  throw new Invalid(`${quoted(text)} is no IPv4 subnet from /8 to /29`, SUBNET_ADVICE);
}

function only(wanted: string, what: string): (text: string) => string {
  return (text) => {
    if (text === wanted) return text;
    throw new Invalid(`${quoted(text)} is no ${what} that nest has`, 'remove the key');
  };
}

const flag = scalar('true or false', parseFlag);

const DEFINITION = fields(
  {
    name: scalar('a name', parseNetworkName),
    external: flag,
    driver: scalar('a name', only('bridge', 'driver')),
    internal: flag,
    attachable: flag,
    enable_ipv4: scalar('true', only('true', 'choice')),
    enable_ipv6: scalar('false', only('false', 'choice')),
    labels: labelsReader,
    ipam: fields(
      {
        driver: scalar('a name', only('default', 'driver')),
        config: list(
          fields(
            { subnet: scalar('a subnet', parseSubnet), gateway: scalar('an address', parseAddress) },
            { refusal: networkRefusal },
          ),
        ),
      },
      { refusal: networkRefusal },
    ),
  },
  { refusal: networkRefusal, extensions: true },
);

/** What services that name no network are in. */
export const DEFAULT_NETWORK: NetworkFields = {
  key: 'default',
  name: null,
  external: false,
  internal: false,
  subnet: null,
  gateway: null,
  labels: {},
};

/** `networks` at the top of the file: https://github.com/compose-spec/compose-spec/blob/main/06-networks.md */
export const networksReader = definitions(parseNetworkName, DEFINITION, (key, read, report): NetworkFields => {
  const [range, second] = read.ipam?.config ?? [];
  if (second !== undefined) report('has more than one subnet', 'leave one');
  if (range !== undefined && range.subnet === undefined && range.gateway !== undefined)
    report('has a gateway without a subnet', 'add its `subnet`, or remove the gateway');
  return {
    key,
    name: read.name ?? null,
    external: read.external ?? false,
    internal: read.internal ?? false,
    subnet: range?.subnet ?? null,
    gateway: range?.gateway ?? null,
    labels: read.labels ?? {},
  };
});
