import test from 'ava';
import { lineBuffer, LineTooLong } from '../../../guest-agent/zygote/lines.ts';

const pieces = (...texts: string[]) => texts.map((text) => Buffer.from(text));

test('lines are put together from pieces, wherever these end', (t) => {
  const take = lineBuffer(100);
  const text = '{"a":"ä"}\n{"b":1}\n\n{"c":2}';
  const lines = [...Buffer.from(text)].flatMap((byte) => take(Uint8Array.of(byte)));
  t.deepEqual(lines, ['{"a":"ä"}', '{"b":1}', '']);
  t.deepEqual(take(Buffer.from('\nrest')), ['{"c":2}']);
});

test('a piece may be overwritten once it was taken', (t) => {
  const take = lineBuffer(100);
  const buffer = Buffer.from('half');
  t.deepEqual(take(buffer), []);
  buffer.fill('x');
  t.deepEqual(take(Buffer.from(' line\n')), ['half line']);
});

test('a line as long as the limit is one, a longer one is refused before it has ended', (t) => {
  t.deepEqual(lineBuffer(4)(Buffer.from('1234\n')), ['1234']);
  t.throws(() => lineBuffer(4)(Buffer.from('12345\n')), { instanceOf: LineTooLong });
  const take = lineBuffer(4);
  t.throws(() => pieces('12', '34', '5').flatMap(take), { instanceOf: LineTooLong });
});
