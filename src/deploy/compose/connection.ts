import * as v from 'valibot';
import { HostName } from '../../../guest-agent/api.ts';
import type { Endpoint, ServiceNetwork } from '../model.ts';
import { parseNetworkName } from './names.ts';
import { DEFAULT_NETWORK, type NetworkFields, networkName, parseAddress } from './networks.ts';
import { Invalid, quoted, type Place, type Problems } from './problems.ts';
import { fields, isMap, isNull, list, scalar, type Reader } from './read.ts';
import type { ServiceFields } from './service.ts';
import { networkRefusal } from './unsupported.ts';

/** An entry of a service's `networks`. */
export interface EndpointFields {
  key: string;
  aliases: string[];
  address: string | null;
  place: Place;
}

/** `networks` of a service: a list of names, or a map with aliases and addresses. */
export const endpointsReader: Reader<EndpointFields[]> = (value, problems) => {
  if (value.kind === 'list') return NAMES(value, problems);
  if (!isMap(value, problems)) return undefined;
  return [...value.entries].flatMap(([key, { key: place, value: content }]) => {
    const read = isNull(content) ? {} : ENDPOINT(content, problems);
    return read === undefined ? [] : { key, aliases: read.aliases ?? [], address: read.ipv4_address ?? null, place };
  });
};

/** What `network_mode` says. */
export type NetworkMode = Exclude<ServiceNetwork, { mode: 'networks' }> | { mode: 'service'; service: string };

export function parseNetworkMode(text: string): NetworkMode {
  if (text === 'none' || text === 'host' || text === 'bridge') return { mode: text };
  const [, kind, name = ''] = /^(service|container):([a-zA-Z0-9._-]{1,128})$/.exec(text) ?? [];
  if (kind === 'service') return { mode: 'service', service: name };
  if (kind === 'container') return { mode: 'container', container: name, service: null };
  throw new Invalid(`${quoted(text)} is no network mode`, 'write none, host, service:NAME, or name networks instead');
}

function parseAlias(text: string): string {
  if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$/.test(text) && v.is(HostName, text)) return text;
  throw new Invalid(`${quoted(text)} is no name of a host`, 'use letters, digits, -, _ and .');
}

/** How a service is connected: as it says, or else by the default network of its zone. */
export function serviceNetwork(
  name: string,
  { network_mode: mode, networks }: Pick<ServiceFields, 'network_mode' | 'networks'>,
  project: { name: string; zone: string; networks: NetworkFields[] },
  own: { zone: string; containerOf(service: string): string },
): ServiceNetwork {
  if (mode?.value.mode === 'service') {
    const { service } = mode.value;
    return { mode: 'container', container: own.containerOf(service), service };
  }
  if (mode !== undefined) return mode.value;
  const asked = networks?.length ? networks : [{ key: DEFAULT_NETWORK.key, aliases: [], address: null }];
  const endpoints = asked.map(({ key, aliases, address }): Endpoint => {
    const fields = project.networks.find((each) => each.key === key);
    const isShared = fields !== undefined || own.zone === project.zone;
    const network = isShared
      ? networkName(fields ?? DEFAULT_NETWORK, project.name)
      : `${project.name}_${key}_${own.zone}`;
    // A service's name may be none of a host.
    const names = v.is(HostName, name) ? [name, ...aliases] : aliases;
    return { network, aliases: [...new Set(names)], address };
  });
  return { mode: 'networks', endpoints };
}

/** Reports networks and services that a service names and the file does not define. */
export function reportNetworks(
  services: { name: string; read: ServiceFields }[],
  defined: NetworkFields[],
  problems: Problems,
): void {
  const known = new Set([...defined.map(({ key }) => key), DEFAULT_NETWORK.key]);
  for (const { name, read } of services) {
    const { network_mode: mode, networks = [] } = read;
    if (mode !== undefined && networks.length > 0)
      problems.report(mode.place, 'does not go with networks', 'remove one of the two');
    for (const [index, { key, place }] of networks.entries()) {
      if (networks.findIndex((other) => other.key === key) < index)
        problems.report(place, `${quoted(key)} is named twice`, 'remove one');
      if (!known.has(key))
        problems.report(place, `network ${quoted(key)} is not defined`, `add \`networks: { ${key}: }\``);
    }
    if (mode?.value.mode !== 'service') continue;
    const { service } = mode.value;
    const target = services.find((each) => each.name === service);
    const targetMode = target?.read.network_mode?.value.mode;
    if (target === undefined) problems.report(mode.place, `there is no service ${quoted(service)}`, 'name one');
    else if (service === name || targetMode === 'service' || targetMode === 'container')
      problems.report(mode.place, `${quoted(service)} has no network of its own`, 'name the service that has it');
  }
}

const NAMES = list<EndpointFields>((item, problems) => {
  const key = scalar('a name', parseNetworkName)(item, problems);
  return key === undefined ? undefined : { key, aliases: [], address: null, place: item };
});

const ENDPOINT = fields(
  { aliases: list(scalar('a name', parseAlias)), ipv4_address: scalar('an address', parseAddress) },
  { refusal: networkRefusal },
);
