import test from 'ava';
import { answerQuery } from '../../../guest-agent/network/answer.ts';
import type { Directory } from '../../../guest-agent/network/directory.ts';

const A = 1;
const PTR = 12;
const AAAA = 28;

const directory: Directory = {
  addresses: (name, asker) =>
    ({ web: asker === '10.89.1.9' ? ['10.89.1.2', '10.89.1.3'] : [], many: manyAddresses() })[name.toLowerCase()] ?? [],
  nameOf: (address) => (address === '10.89.1.2' ? 'web' : undefined),
};

function manyAddresses(): string[] {
  return Array.from({ length: 200 }, (_, index) => `10.89.1.${index + 2}`);
}

const answer = (query: Buffer) => answerQuery(query, '10.89.1.9', directory);
const rcode = (reply: Buffer | undefined) => (reply?.readUInt16BE(2) ?? -1) & 0x0f;
const answers = (reply: Buffer | undefined) => reply?.readUInt16BE(6);

test('a name has the addresses of all containers that go by it, another one first each time', (t) => {
  const replies = [answer(query('web', A)), answer(query('WEB', A))];
  const first = replies.map((reply) => reply?.subarray(-20, -16).join('.'));
  t.deepEqual(first.toSorted(), ['10.89.1.2', '10.89.1.3']);
  for (const reply of replies) t.is(answers(reply), 2);
  t.is(replies[0]?.readUInt16BE(0), 0xabcd, 'the id of the query');
  t.is(replies[0]?.toString('latin1', 12, 17), '\x03web\0', 'and its question');
});

test('a name has no address of another family, which is not the same as no such name', (t) => {
  const reply = answer(query('web', AAAA));
  t.is(rcode(reply), 0);
  t.is(answers(reply), 0);
});

test('what no container is called does not exist; what may be a name elsewhere is refused', (t) => {
  t.is(rcode(answer(query('nobody', A))), 3);
  t.is(rcode(answer(query('www.example.com', A))), 5);
  t.is(rcode(answer(query('9.1.89.10.in-addr.arpa', PTR))), 5);
  t.is(rcode(answer(query('web', A, 3))), 5, 'class CHAOS');
});

test('an address has the name of its container', (t) => {
  const reply = answer(query('2.1.89.10.in-addr.arpa', PTR));
  t.is(rcode(reply), 0);
  t.is(reply?.subarray(-5).toString('latin1'), '\x03web\0');
});

test('a reply fits a datagram of 512 bytes, whatever was asked', (t) => {
  const reply = answer(query('many', A));
  t.true((reply?.length ?? 0) <= 512 && (answers(reply) ?? 0) > 10);
});

test('a reply is never replied to, and of what is no query only its id comes back', (t) => {
  const response = query('web', A);
  response.writeUInt16BE(0x8000, 2);
  t.is(answer(response), undefined);
  t.is(answer(Buffer.alloc(11)), undefined);
  const good = query('web', A);
  const bad: Record<string, Buffer> = {
    'cut off': good.subarray(0, good.length - 1),
    'no question': Buffer.from(good).fill(0, 4, 6),
    'a hundred questions': Object.assign(Buffer.from(good), { 5: 100 }),
    'a label longer than the message': Object.assign(Buffer.from(good), { 12: 63 }),
    'a pointer to itself': Object.assign(Buffer.from(good), { 12: 0xc0, 13: 0x0c }),
    'a name without end': Buffer.concat([good.subarray(0, 12), Buffer.alloc(4096, 1)]),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    const reply = answer(bytes);
    t.is(rcode(reply), 1, what);
    t.is(reply?.length, 12, what);
  }
  const update = query('web', A);
  update.writeUInt16BE(5 << 11, 2);
  t.is(rcode(answer(update)), 4);
});

test('no bytes at all make it fail', (t) => {
  for (let round = 0; round < 5000; round += 1) {
    const bytes = crypto.getRandomValues(Buffer.alloc(Math.floor(Math.random() * 300)));
    if (bytes.length >= 12) bytes.writeUInt16BE(1, 4);
    if (bytes.length >= 12) bytes.writeUInt16BE(0, 2);
    t.notThrows(() => answer(Buffer.from(bytes)), bytes.toString('hex'));
  }
});

function query(name: string, type: number, klass = 1): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([
    Buffer.of(0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ...labels,
    Buffer.of(0, 0, type, 0, klass),
  ]);
}
