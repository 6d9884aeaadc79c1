import test from 'ava';
import { signalNumber } from '../../../guest-agent/container/signals.ts';

const known: [string, number][] = [
  ['SIGTERM', 15],
  ['SIGKILL', 9],
  ['SIGRTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['SIGRTMAX-1', 63],
];
for (const [name, number] of known) test(`${name} is ${number}`, (t) => t.is(signalNumber(name), number));

for (const name of ['SIGNONE', 'SIGRTMIN-1', 'SIGRTMAX+1', 'TERM', '__proto__', 'SIGRTMIN+99'])
  test(`${name} is refused`, (t) => {
    t.throws(() => signalNumber(name), { message: /there is none of this name/ });
  });
