/** The hardware address that goes with an IPv4 address: guest-agent/network/mac.ts. */
export function macText(address: string): string {
  if (address === '') return '';
  const parts = [0x02, 0x42, ...address.split('.').map(Number)];
  return parts.map((part) => part.toString(16).padStart(2, '0')).join(':');
}
