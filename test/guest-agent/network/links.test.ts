import test from 'ava';
import {
  addAddress,
  addDefaultRoute,
  makeBridge,
  makePair,
  parseLink,
  turnOn,
} from '../../../guest-agent/network/links.ts';
import { macOf } from '../../../guest-agent/network/mac.ts';
import { attribute, encode, readAttributes, transact } from '../../../guest-agent/network/netlink.ts';
import { recordingSys } from '../sys/recording-sys.ts';

/** What `ip` of iproute2 6.1 sends for the same, as strace shows it, header of the message left out. */
const IPROUTE = {
  'ip addr add 10.89.0.2/24 dev eth0': '0218000007000000080002000a590002080001000a590002',
  'ip link set eth0 up': '00000000070000000100000001000000',
  'ip route add default dev eth0': '02000000fe03fd01000000000800040007000000',
};

test('addresses, routes and states are as iproute2 writes them', (t) => {
  t.deepEqual(
    [addAddress(7, '10.89.0.2', 24), turnOn(7), addDefaultRoute(7)].map(({ body }) => body.toString('hex')),
    Object.values(IPROUTE),
  );
});

test('a pair is as `ip link add eth0 index 7 type veth peer name v0123` has it, with the namespace of its other end', (t) => {
  const peer = '2800010000000000000000000000000000000000 0a00030076303132330000 00 08001c0009000000';
  t.is(
    makePair('eth0', 7, 'v0123', 9).body.toString('hex'),
    `00000000070000000000000000000000 0900030065746830 00000000 38001200 0800010076657468 2c000200 ${peer}`.replaceAll(
      ' ',
      '',
    ),
  );
});

test('a bridge is as `ip link add br-x type bridge mcast_snooping 0` has it, with an address and turned on', (t) => {
  t.is(
    makeBridge('br-x', macOf('10.89.0.1')).body.toString('hex'),
    [
      '00000000000000000100000001000000',
      '0900030062722d7800000000',
      '0a00010002420a5900010000',
      '1c0012000a00010062726964676500000c0002000500170000000000',
    ].join(''),
  );
});

test('only the last of several requests asks to be answered, and each has its number', (t) => {
  const bytes = encode([turnOn(1), addAddress(1, '10.0.0.1', 8)]);
  t.is(bytes.readUInt32LE(0), 32);
  t.is(bytes.readUInt16LE(6), 0x1, 'NLM_F_REQUEST');
  t.is(bytes.readUInt32LE(32), 40);
  t.is(bytes.readUInt16LE(32 + 6), 0x1 | 0x4 | 0x600, 'and NLM_F_ACK');
  t.is(bytes.readUInt32LE(32 + 8), 1);
});

test('the failure of a request is told by its name, after the answer of the last', (t) => {
  const answers = [answer(0, 17), answer(1, 0)];
  const { sys, calls } = recordingSys({ read: (_, buffer) => answers.shift()?.copy(buffer) ?? 0 });
  t.throws(() => transact(sys, 5, [addAddress(2, '10.0.0.1', 8), turnOn(2)]), {
    message: 'add address `10.0.0.1`: EEXIST',
  });
  t.deepEqual(calls, ['write 5', 'read 5', 'read 5']);
});

test('attributes that lie about their length end the reading', (t) => {
  const lying = Buffer.concat([attribute(3, 'eth0'), Buffer.of(0xff, 0xff, 1, 0)]);
  t.deepEqual([...readAttributes(lying).keys()], [3]);
  t.is(readAttributes(Buffer.of(0, 0, 3, 0)).size, 0, 'no endless loop');
  t.deepEqual(parseLink(Buffer.concat([Buffer.alloc(16), attribute(3, 'br-x')])), { index: 0, name: 'br-x' });
});

/** NLMSG_ERROR with struct nlmsgerr. */
function answer(sequence: number, errno: number): Buffer {
  const message = Buffer.alloc(36);
  message.writeUInt32LE(36, 0);
  message.writeUInt16LE(2, 4);
  message.writeUInt32LE(sequence, 8);
  message.writeInt32LE(-errno, 16);
  return message;
}
