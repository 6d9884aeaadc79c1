import { isIP } from 'node:net';
import * as v from 'valibot';
import type { Lookup } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Endpoint, NetworkWish } from '../networks/attach.ts';

const text = v.pipe(v.string(), v.maxLength(4096), v.regex(/^[^\0]*$/));
const words = v.nullish(v.pipe(v.array(text), v.maxLength(1024)));

/** The fields of HostConfig that say how a container is connected. */
export const networkFields = {
  NetworkMode: v.nullish(text),
  Dns: words,
  DnsSearch: words,
  DnsOptions: words,
  ExtraHosts: words,
};
type NetworkFields = v.InferOutput<v.ObjectSchema<typeof networkFields, undefined>>;

const EndpointBody = v.looseObject({
  Aliases: words,
  IPAMConfig: v.nullish(v.looseObject({ IPv4Address: v.nullish(text) })),
});

/** Of a create body. */
export const NetworkingConfig = v.nullish(
  v.looseObject({ EndpointsConfig: v.nullish(v.record(text, v.nullish(EndpointBody))) }),
);

/** @throws NestError `invalid-input` */
export function networkWish(host: NetworkFields, networking: v.InferOutput<typeof NetworkingConfig>): NetworkWish {
  const bodies = networking?.EndpointsConfig ?? {};
  const named = host.NetworkMode || 'default';
  const mode = named === 'default' ? (Object.keys(bodies)[0] ?? 'default') : named;
  return { mode: modeOf(mode, bodies), lookup: lookupOf(host) };
}

function modeOf(
  mode: string,
  bodies: Record<string, v.InferOutput<typeof EndpointBody> | null | undefined>,
): NetworkWish['mode'] {
  const [, container] = /^container:(.+)$/.exec(mode) ?? [];
  const others = Object.keys(bodies).filter((name) => name !== mode && !(mode === 'bridge' && name === 'default'));
  if (container === undefined && !FIXED.has(mode))
    return { networks: [mode, ...others].map((name) => endpointOf(name, bodies[name])) };
  if (others.length > 0)
    throw new NestError(
      'invalid-input',
      `NetworkMode ${mode}: no other network goes with it, but ${others[0]} was asked for`,
    );
  const body = bodies[mode] ?? bodies['default'];
  if (body?.Aliases?.length || body?.IPAMConfig?.IPv4Address)
    throw new NestError(
      'invalid-input',
      `NetworkMode ${mode}: aliases and addresses are for networks that were created`,
      {
        hint: 'make one: nest network create NAME',
      },
    );
  if (container !== undefined) return { container };
  return mode as 'default' | 'none' | 'host' | 'bridge';
}

function endpointOf(network: string, body: v.InferOutput<typeof EndpointBody> | null | undefined): Endpoint {
  return { network, aliases: body?.Aliases ?? [], address: body?.IPAMConfig?.IPv4Address || null };
}

function lookupOf({ Dns, DnsSearch, DnsOptions, ExtraHosts }: NetworkFields): Lookup | null {
  const [servers, search, options, hosts] = [Dns ?? [], DnsSearch ?? [], DnsOptions ?? [], ExtraHosts ?? []];
  if (servers.length + search.length + options.length + hosts.length === 0) return null;
  const bad = servers.find((server) => isIP(server) === 0);
  if (bad !== undefined)
    throw new NestError('invalid-input', `DNS server \`${bad.slice(0, 64)}\`: not an IP address`, {
      hint: 'write one, such as 192.0.2.53',
    });
  return { servers, search: search.filter((domain) => domain !== '.'), options, hosts: hosts.map(hostOf) };
}

/** `name:1.2.3.4`, or with `=` as newer clients write it. */
function hostOf(entry: string): Lookup['hosts'][number] {
  const [, name = '', address = ''] = /^([^:=]+)[:=]\[?([^\]]*)\]?$/.exec(entry) ?? [];
  if (name !== '' && isIP(address) !== 0) return { name, address };
  throw new NestError('invalid-input', `extra host \`${entry.slice(0, 128)}\`: not NAME:ADDRESS`, {
    hint: 'write a name and an IP address, such as db:10.5.0.7',
  });
}

const FIXED = new Set(['default', 'none', 'host', 'bridge']);
