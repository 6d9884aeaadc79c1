import { addressBytes } from './ipv4.ts';

/**
 * The hardware address that goes with an IPv4 address: locally administered, as Docker derives it. Whoever has an address
 * after another one is found at once: no neighbour remembers a wrong hardware address.
 */
export const macOf = (address: string): Buffer => Buffer.concat([Buffer.of(0x02, 0x42), addressBytes(address)]);
