import { isIPv4 } from 'node:net';

/** A range of IPv4 addresses: `10.89.0.0/24`. */
export interface Subnet {
  /** Its first address, as a number. */
  base: number;
  prefix: number;
}

/** @throws RangeError when the text is no range, or has bits beyond its prefix */
export function parseSubnet(text: string): Subnet {
  const [address = '', digits = ''] = text.split('/');
  const subnet = { base: parseAddress(address), prefix: Number(digits) };
  if (!/^\d{1,2}$/.test(digits) || subnet.prefix > 32) throw new RangeError(`\`${text}\`: not ADDRESS/PREFIX`);
  if (subnet.base % size(subnet) !== 0) throw new RangeError(`\`${text}\`: the address is not the first of its range`);
  return subnet;
}

/** @throws RangeError */
export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw new RangeError(`\`${text}\`: not an IPv4 address`);
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

export const formatSubnet = ({ base, prefix }: Subnet): string => `${formatAddress(base)}/${prefix}`;

/** How many addresses it has. */
export const size = ({ prefix }: Subnet): number => 2 ** (32 - prefix);

export const contains = (subnet: Subnet, address: number): boolean =>
  address >= subnet.base && address < subnet.base + size(subnet);

export const overlap = (one: Subnet, other: Subnet): boolean => contains(one, other.base) || contains(other, one.base);

/** For the kernel: four bytes, the first part first. */
export function addressBytes(text: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(parseAddress(text), 0);
  return bytes;
}
