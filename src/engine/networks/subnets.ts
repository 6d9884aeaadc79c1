import { isIPv4 } from 'node:net';
import { NestError } from '../../errors.ts';

/** A subnet and the address of its bridge, which is the first. */
export interface Range {
  subnet: string;
  gateway: string;
}

/** The first range, of those that Docker takes too, that overlaps none in use. */
export function freeRange(used: readonly string[]): Range {
  const taken = used.map(parse);
  for (const candidate of candidates()) if (!taken.some((one) => overlap(one, candidate))) return rangeOf(candidate);
  throw new NestError(
    'conflict',
    'find a subnet for the network: all of 172.18.0.0 to 172.31.255.255 and 10.89.0.0/16 are in use',
    {
      hint: 'remove networks that are not needed: nest network prune',
    },
  );
}

/** @throws NestError `invalid-input` for what is no subnet, `conflict` for one in use */
export function givenRange(subnet: string, gateway: string | undefined, used: readonly string[]): Range {
  const range = parse(subnet);
  if (used.some((other) => overlap(parse(other), range)))
    throw new NestError('conflict', `make a network of \`${subnet}\`: another network has a part of it`, {
      hint: '`nest network ls` shows their subnets',
    });
  const address = gateway ?? rangeOf(range).gateway;
  const number = isIPv4(address) ? toNumber(address) : -1;
  if (number > range.base && number < range.base + range.size - 1) return { subnet, gateway: address };
  throw new NestError('invalid-input', `gateway \`${address.slice(0, 64)}\`: no address of a host in ${subnet}`);
}

interface Block {
  base: number;
  size: number;
}

function parse(subnet: string): Block {
  const [address = '', digits = ''] = subnet.split('/');
  const prefix = Number(digits);
  const size = 2 ** (32 - prefix);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(digits) || prefix < 8 || prefix > 29 || toNumber(address) % size !== 0)
    throw new NestError('invalid-input', `subnet \`${subnet.slice(0, 64)}\`: not an IPv4 subnet from /8 to /29`, {
      hint: 'write its first address and its prefix, such as 10.5.0.0/24',
    });
  return { base: toNumber(address), size };
}

function* candidates(): Generator<Block> {
  for (let second = 18; second < 32; second += 1) yield { base: toNumber(`172.${second}.0.0`), size: 2 ** 16 };
  for (let third = 0; third < 256; third += 1) yield { base: toNumber(`10.89.${third}.0`), size: 2 ** 8 };
}

const rangeOf = ({ base, size }: Block): Range => ({
  subnet: `${toText(base)}/${32 - Math.log2(size)}`,
  gateway: toText(base + 1),
});

const overlap = (one: Block, other: Block) => one.base < other.base + other.size && other.base < one.base + one.size;
const toNumber = (address: string) => address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
const toText = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
