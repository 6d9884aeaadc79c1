import { isIPv4 } from 'node:net';
import {
  contains,
  formatAddress,
  overlap,
  parseAddress,
  parseSubnet,
  size,
  type Subnet,
} from '../guest-agent/network/ipv4.ts';
import { NestError } from './errors.ts';

/** A subnet and the address of its bridge, which is the first unless another one is asked for. */
export interface Range {
  subnet: string;
  gateway: string;
}

/** The first range, of those that Docker takes too, that overlaps none in use. @throws NestError `conflict` */
export function freeRange(used: readonly string[]): Range {
  const taken = used.map(mustParse);
  for (const candidate of candidates()) if (!taken.some((one) => overlap(one, candidate))) return rangeOf(candidate);
  throw new NestError(
    'conflict',
    'find a subnet for the network: all of 172.18.0.0 to 172.31.255.255 and 10.89.0.0/16 are in use',
    { hint: 'remove networks that are not needed: nest network prune' },
  );
}

/** @throws NestError `invalid-input` for what is no subnet, `conflict` for one in use */
export function givenRange(text: string, gateway: string | undefined, used: readonly string[]): Range {
  const subnet = mustParse(text);
  if (used.some((other) => overlap(mustParse(other), subnet)))
    throw new NestError('conflict', `make a network of \`${text}\`: another network has a part of it`, {
      hint: '`nest network ls` shows their subnets',
    });
  const range = { subnet: text, gateway: gateway ?? rangeOf(subnet).gateway };
  if (isHost(subnet, range.gateway)) return range;
  throw new NestError('invalid-input', `gateway \`${range.gateway.slice(0, 64)}\`: no address of a host in ${text}`, {
    hint: `choose one in it, such as ${rangeOf(subnet).gateway}`,
  });
}

/** @throws NestError `invalid-input` for an address that no container of this network can have */
export function checkAddress(address: string, { name, subnet, gateway }: Range & { name: string }): void {
  const operation = `join network \`${name}\` as \`${address.slice(0, 64)}\``;
  const hint = `choose another address in ${subnet}, or none: it is given a free one`;
  if (!isHost(mustParse(subnet), address))
    throw new NestError('invalid-input', `${operation}: no address of a host in ${subnet}`, { hint });
  if (address === gateway) throw new NestError('invalid-input', `${operation}: that is its gateway`, { hint });
}

/** Undefined for what no network can have. */
export function subnetOf(text: string): Subnet | undefined {
  try {
    const subnet = parseSubnet(text);
    return subnet.prefix >= 8 && subnet.prefix <= 29 ? subnet : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export const SUBNET_ADVICE = 'write its first address and its prefix, from /8 to /29, such as 10.5.0.0/24';

function mustParse(text: string): Subnet {
  const subnet = subnetOf(text);
  if (subnet !== undefined) return subnet;
  throw new NestError('invalid-input', `subnet \`${text.slice(0, 64)}\`: not an IPv4 subnet from /8 to /29`, {
    hint: SUBNET_ADVICE,
  });
}

/** Neither the subnet itself nor its broadcast address: RFC 919. */
function isHost(subnet: Subnet, text: string): boolean {
  if (!isIPv4(text)) return false;
  const address = parseAddress(text);
  return contains(subnet, address) && address !== subnet.base && address !== subnet.base + size(subnet) - 1;
}

function* candidates(): Generator<Subnet> {
  for (let second = 18; second < 32; second += 1) yield parseSubnet(`172.${second}.0.0/16`);
  for (let third = 0; third < 256; third += 1) yield parseSubnet(`10.89.${third}.0/24`);
}

const rangeOf = ({ base, prefix }: Subnet): Range => ({
  subnet: `${formatAddress(base)}/${prefix}`,
  gateway: formatAddress(base + 1),
});
