import test from 'ava';
import { freeAddress } from '../../../guest-agent/network/addresses.ts';
import { formatAddress, overlap, parseAddress, parseSubnet } from '../../../guest-agent/network/ipv4.ts';

const NET = parseSubnet('10.89.1.0/29');
const taken = (...last: number[]) => new Set(last.map((number) => `10.89.1.${number}`));

test('the first address that nobody has is given, never that of the subnet, its broadcast or the gateway', (t) => {
  t.is(freeAddress(NET, taken(1), {}), '10.89.1.2');
  t.is(freeAddress(NET, taken(1, 2, 4), {}), '10.89.1.3');
  t.is(freeAddress(NET, taken(1), { last: '10.89.1.6' }), '10.89.1.2');
  t.throws(() => freeAddress(NET, taken(1, 2, 3, 4, 5, 6), {}), { message: /all are taken/ });
});

test('an address that was given back comes last', (t) => {
  t.is(freeAddress(NET, taken(1), { last: '10.89.1.2' }), '10.89.1.3');
});

test('a certain address is given when it is free and one of the subnet', (t) => {
  t.is(freeAddress(NET, taken(1), { wanted: '10.89.1.5' }), '10.89.1.5');
  t.throws(() => freeAddress(NET, taken(1, 5), { wanted: '10.89.1.5' }), { message: /is taken/ });
  for (const wanted of ['10.89.1.0', '10.89.1.7', '10.89.2.5'])
    t.throws(() => freeAddress(NET, taken(1), { wanted }), { message: /not in 10\.89\.1\.0\/29/ }, wanted);
});

test('subnets are read, and overlap when one holds the beginning of the other', (t) => {
  t.deepEqual(parseSubnet('10.89.0.0/16'), { base: 0x0a590000, prefix: 16 });
  t.is(formatAddress(parseAddress('255.255.255.254')), '255.255.255.254');
  for (const text of ['10.89.0.1/16', '10.89.0.0', '10.89.0.0/33', '10.89.0/16', '10.89.0.256/32', '::/8', '1.2.3.4/x'])
    t.throws(() => parseSubnet(text), { instanceOf: RangeError }, text);
  const [wide, inside, beside] = ['10.89.0.0/16', '10.89.7.0/24', '10.90.0.0/16'].map(parseSubnet);
  if (wide === undefined || inside === undefined || beside === undefined) throw new Error('three subnets');
  t.true(overlap(wide, inside) && overlap(inside, wide));
  t.false(overlap(wide, beside) || overlap(beside, wide));
});
