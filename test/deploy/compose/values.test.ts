import test from 'ava';
import { parsePort, portsCollide } from '../../../src/deploy/compose/ports.ts';
import { Invalid } from '../../../src/deploy/compose/problems.ts';
import { parseCpus, parseMemory, parsePids, parseSeconds } from '../../../src/deploy/compose/quantities.ts';
import { parseRestart } from '../../../src/deploy/compose/service.ts';
import { didYouMean } from '../../../src/deploy/compose/suggest.ts';
import { splitWords } from '../../../src/deploy/compose/words.ts';
import { parseSignal, projectNameOfFolder } from '../../../src/deploy/compose/names.ts';

const MIB = 1024 * 1024;

const good: [parse: (text: string) => unknown, text: string, value: unknown][] = [
  [parseMemory, '6291456', 6 * MIB],
  [parseMemory, '8388608b', 8 * MIB],
  [parseMemory, '65536k', 64 * MIB],
  [parseMemory, '64m', 64 * MIB],
  [parseMemory, '64M', 64 * MIB],
  [parseMemory, '64mb', 64 * MIB],
  [parseMemory, '64MiB', 64 * MIB],
  [parseMemory, '1.5g', 1536 * MIB],
  [parseMemory, '1 g', 1024 * MIB],
  [parseCpus, '0.5', 0.5],
  [parseCpus, '.5', 0.5],
  [parseCpus, '2', 2],
  [parsePids, '100', 100],
  [parsePids, '-1', null],
  [parseSeconds, '10s', 10],
  [parseSeconds, '1m30s', 90],
  [parseSeconds, '1.5m', 90],
  [parseSeconds, '500ms', 1],
  [parseSeconds, '0s', 0],
  [parseRestart, 'no', { name: 'no', maximumRetries: 0 }],
  [parseRestart, 'always', { name: 'always', maximumRetries: 0 }],
  [parseRestart, 'unless-stopped', { name: 'unless-stopped', maximumRetries: 0 }],
  [parseRestart, 'on-failure', { name: 'on-failure', maximumRetries: 0 }],
  [parseRestart, 'on-failure:3', { name: 'on-failure', maximumRetries: 3 }],
  [parseSignal, 'SIGINT', 'SIGINT'],
  [parseSignal, 'term', 'SIGTERM'],
  [parseSignal, 'SIGRTMIN+3', 'SIGRTMIN+3'],
  [splitWords, 'nginx -g "daemon off;"', ['nginx', '-g', 'daemon off;']],
  [splitWords, `sh -c 'echo "$HOME"'`, ['sh', '-c', 'echo "$HOME"']],
  [splitWords, String.raw`a\ b "c\"d" 'e\f' "g\h"`, ['a b', 'c"d', String.raw`e\f`, String.raw`g\h`]],
  [splitWords, `a'b'"c"d`, ['abcd']],
  [splitWords, `a '' ""`, ['a', '', '']],
  [splitWords, '  a\n\tb ', ['a', 'b']],
  [splitWords, 'a \\\n b', ['a', '', 'b']],
  [splitWords, '', []],
  [parsePort, '80', { hostIp: '127.0.0.1', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
  [parsePort, '8080:80', { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  [parsePort, '8080:80/tcp', { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  [parsePort, '0.0.0.0:8080:80', { hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  [parsePort, '127.0.0.2::80', { hostIp: '127.0.0.2', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
  [parsePort, '[::1]:8080:80', { hostIp: '::1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  [projectNameOfFolder, 'My Shop', 'myshop'],
  [projectNameOfFolder, '_-a.b', 'ab'],
  [projectNameOfFolder, '...', undefined],
];

for (const [parse, text, value] of good) {
  test(`${parse.name} reads ${JSON.stringify(text)}`, (t) => {
    t.deepEqual(parse(text), value);
  });
}

const bad: [parse: (text: string) => unknown, text: string, message: string][] = [
  [parseMemory, '64x', '`64x` is no size'],
  [parseMemory, '', '`` is no size'],
  [parseMemory, '-1', '`-1` is no size'],
  [parseMemory, '512', '`512` is less than 6 MiB'],
  [parseMemory, '5m', '`5m` is less than 6 MiB'],
  [parseMemory, '99999999999t', '`99999999999t` is larger than any machine'],
  [parseCpus, '0', '`0` is no number of CPUs'],
  [parseCpus, '1e3', '`1e3` is no number of CPUs'],
  [parseCpus, '2000', '`2000` is no number of CPUs'],
  [parsePids, '0', '`0` is no number of processes'],
  [parsePids, '1.5', '`1.5` is no number of processes'],
  [parseSeconds, '10', '`10` is no duration'],
  [parseSeconds, '25h', '`25h` is longer than a day'],
  [parseRestart, 'never', '`never` is no restart policy'],
  [parseRestart, 'always:3', '`always:3` is no restart policy'],
  [parseSignal, 'HELLO', '`HELLO` is no signal'],
  [parseSignal, '15', '`15` is no signal'],
  [splitWords, 'a "b', '`a "b` has a quote that is not closed'],
  [splitWords, "a 'b", "`a 'b` has a quote that is not closed"],
  [splitWords, 'a\\', '`a\\\\` ends in a backslash'],
  [parsePort, 'http', '`http` is no port'],
  [parsePort, '80:', '`80:` is no port'],
  [parsePort, '0', '`0` is no port number'],
  [parsePort, '70000:80', '`70000` is no port number'],
  [parsePort, '8000-8010:80', 'port range `8000-8010` is not supported yet'],
  [parsePort, '53:53/udp', 'UDP is not supported yet: ports are carried as TCP'],
  [parsePort, '53:53/sctp', '`sctp` is no protocol'],
  [parsePort, 'localhost:80:80', '`localhost` is no IP address'],
  [parsePort, '::1:80:80', '`::1:80:80` is no port'],
];

for (const [parse, text, message] of bad) {
  test(`${parse.name} refuses ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => parse(text), { instanceOf: Invalid, message });
    t.truthy(error.advice);
  });
}

const collisions: [a: string, b: string, collide: boolean][] = [
  ['8080:80', '8080:81', true],
  ['8080:80', '0.0.0.0:8080:80', true],
  ['8080:80', '127.0.0.2:8080:80', false],
  ['8080:80', '8081:80', false],
  ['80', '80', false],
];

for (const [a, b, collide] of collisions) {
  test(`${a} and ${b} ${collide ? 'collide' : 'go together'}`, (t) => {
    t.is(portsCollide(parsePort(a), parsePort(b)), collide);
    t.is(portsCollide(parsePort(b), parsePort(a)), collide);
  });
}

const guesses: [word: string, guess: string][] = [
  ['imge', ', did you mean `image`?'],
  ['iamge', ', did you mean `image`?'],
  ['Ports', ', did you mean `ports`?'],
  ['enviroment', ', did you mean `environment`?'],
  ['networks', ''],
  ['x', ''],
  ['i'.repeat(100_000), ''],
];

for (const [word, guess] of guesses) {
  test(`${word.slice(0, 20)} ${guess === '' ? 'is like no key' : 'is like a key'}`, (t) => {
    t.is(didYouMean(word, ['image', 'ports', 'environment', 'restart']), guess);
  });
}
