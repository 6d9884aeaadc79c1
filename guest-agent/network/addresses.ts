import { conflict, invalid } from '../errors.ts';
import { contains, formatAddress, formatSubnet, parseAddress, size, type Subnet } from './ipv4.ts';

/**
 * An address of the subnet that nobody has. They go round, so that one that was given back is not given away at once.
 *
 * @param taken in use, the gateway among them
 * @param last given away before; the search begins behind it
 * @param wanted a certain one
 * @throws RequestError 409 when it, or all, are taken
 */
export function freeAddress(
  subnet: Subnet,
  taken: ReadonlySet<string>,
  { last, wanted }: { last?: string | undefined; wanted?: string | undefined },
): string {
  const count = size(subnet);
  /** The subnet itself and its broadcast address: RFC 919. */
  const isReserved = (number: number) => number === subnet.base || number === subnet.base + count - 1;
  if (wanted !== undefined) {
    const number = parseAddress(wanted);
    if (!contains(subnet, number) || isReserved(number))
      throw invalid(`use address \`${wanted}\`: not in ${formatSubnet(subnet)}`);
    if (taken.has(wanted)) throw conflict(`use address \`${wanted}\`: it is taken`);
    return wanted;
  }
  const begin = last === undefined ? 0 : parseAddress(last) - subnet.base;
  for (let step = 1; step <= count; step += 1) {
    const number = subnet.base + ((begin + step) % count);
    const address = formatAddress(number);
    if (!isReserved(number) && !taken.has(address)) return address;
  }
  throw conflict(`find an address in ${formatSubnet(subnet)}: all are taken`);
}
