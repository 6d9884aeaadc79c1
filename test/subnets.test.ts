import test from 'ava';
import { checkAddress, freeRange, givenRange } from '../src/subnets.ts';

test('subnets are given one after the other, and none overlaps another', (t) => {
  t.deepEqual(freeRange(['172.17.0.0/16', '172.18.5.0/24']), { subnet: '172.19.0.0/16', gateway: '172.19.0.1' });
  t.deepEqual(freeRange(['172.16.0.0/12']), { subnet: '10.89.0.0/24', gateway: '10.89.0.1' });
  t.throws(() => freeRange(['172.16.0.0/12', '10.0.0.0/8']), { message: /are in use/ });
  t.deepEqual(givenRange('10.5.0.0/24', '10.5.0.254', []), { subnet: '10.5.0.0/24', gateway: '10.5.0.254' });
  for (const bad of ['10.5.0.1/24', '010.5.0.0/24', '10.5.0.0', '10.5.0.0/30', 'fd00::/64'])
    t.throws(() => givenRange(bad, undefined, []), { message: /not an IPv4 subnet/ }, bad);
  for (const bad of ['10.6.0.1', '10.5.0.0', '10.5.0.255', '010.5.0.1'])
    t.throws(() => givenRange('10.5.0.0/24', bad, []), { message: /gateway/ }, bad);
  t.throws(() => givenRange('10.5.0.0/24', undefined, ['10.0.0.0/8']), { message: /another network/ });
});

test('a container has an address of its network that is neither reserved nor the gateway', (t) => {
  const network = { name: 'shop', subnet: '10.5.0.0/24', gateway: '10.5.0.1' };
  t.notThrows(() => checkAddress('10.5.0.254', network));
  for (const bad of ['10.5.0.0', '10.5.0.255', '10.6.0.2', 'x', ''])
    t.throws(() => checkAddress(bad, network), { message: /no address of a host in 10\.5\.0\.0\/24/ }, bad);
  t.throws(() => checkAddress('10.5.0.1', network), { message: /that is its gateway/ });
});
