import test from 'ava';
import { detachFilter } from '../../src/client/terminal/detach-keys.ts';

function type(...keys: string[]) {
  let detached = 0;
  const filter = detachFilter(() => (detached += 1));
  return { sent: keys.map((each) => filter(Buffer.from(each)).toString('latin1')).join(''), detached };
}

test('keys pass as they are, Ctrl+C and Ctrl+D too', (t) => {
  t.deepEqual(type('ls\r', '\x03', '\x04'), { sent: 'ls\r\x03\x04', detached: 0 });
});

test('ctrl-p ctrl-q detaches, in one piece or in two, and what follows is not sent', (t) => {
  t.deepEqual(type('a\x10\x11b'), { sent: 'a', detached: 1 });
  t.deepEqual(type('a\x10', '\x11'), { sent: 'a', detached: 1 });
});

test('ctrl-p alone comes with the next key', (t) => {
  t.deepEqual(type('\x10', 'x'), { sent: '\x10x', detached: 0 });
  t.deepEqual(type('\x10\x10\x11'), { sent: '\x10', detached: 1 });
});
