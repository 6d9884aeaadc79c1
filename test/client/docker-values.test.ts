import test from 'ava';
import {
  parseBytes,
  parseCpus,
  parseEnvironment,
  parsePort,
  parseRestart,
  parseTime,
  toFilters,
  toMap,
} from '../../src/client/docker-values.ts';

const refused = test.macro((t, read: () => unknown) => {
  t.throws(read, { name: 'NestError', code: 'invalid-input' });
});

test('sizes are in units of 1024', (t) => {
  t.deepEqual(['1048576', '64kb', '512m', '1.5g', '1GiB', '7b'].map(parseBytes), [
    1048576,
    65536,
    512 * 1024 ** 2,
    1.5 * 1024 ** 3,
    1024 ** 3,
    7,
  ]);
});
for (const text of ['', 'm', '-1m', '1x', '1m2', '1e9', '9'.repeat(400)])
  test(`size \`${text}\` is refused`, refused, () => parseBytes(text));

test('ports take Docker’s forms', (t) => {
  t.deepEqual(['80', '8080:80', '127.0.0.1:8080:80/tcp', '[::1]::53/UDP', '0:80'].map(parsePort), [
    { container: '80/tcp', hostIp: '', hostPort: '' },
    { container: '80/tcp', hostIp: '', hostPort: '8080' },
    { container: '80/tcp', hostIp: '127.0.0.1', hostPort: '8080' },
    { container: '53/udp', hostIp: '::1', hostPort: '' },
    { container: '80/tcp', hostIp: '', hostPort: '0' },
  ]);
});
for (const text of ['', 'http', '0', '8080:', '70000:80', '80:70000', 'a:b:c', '80/icmp'])
  test(`port \`${text}\` is refused`, refused, () => parsePort(text));

test('restart policies take a count where Docker does', (t) => {
  t.deepEqual(parseRestart('on-failure:3'), { Name: 'on-failure', MaximumRetryCount: 3 });
  t.deepEqual(parseRestart('always'), { Name: 'always' });
});
test('a count for another policy is refused', refused, () => parseRestart('always:3'));
test('an unknown policy is refused', refused, () => parseRestart('sometimes'));

test('processor time is cores', (t) => t.is(parseCpus('0.5'), 500_000_000));
for (const text of ['', '0', '-1', 'two']) test(`cpus \`${text}\` is refused`, refused, () => parseCpus(text));

test('a variable without a value is passed on, or left out when it is not set', (t) => {
  t.deepEqual(parseEnvironment(['A=1', 'B', 'C', 'D='], { B: '2' }), ['A=1', 'B=2', 'D=']);
});
test('a variable without a name is refused', refused, () => parseEnvironment(['=1']));

test('times are seconds since 1970', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.is(parseTime('1h30m', now), String(now / 1000 - 5400));
  t.is(parseTime('2026-01-01T00:00:00Z'), String(now / 1000));
  t.is(parseTime('1700000000'), '1700000000');
});
test('an unknown time is refused', refused, () => parseTime('yesterday'));

test('filters are gathered by key', (t) => {
  t.deepEqual(toFilters(['label=a=b', 'status=exited', 'label=c']), { label: ['a=b', 'c'], status: ['exited'] });
});
test('a filter without a value is refused', refused, () => toFilters(['status']));
test('a label without a value is empty', (t) => t.deepEqual(toMap(['a=b=c', 'd']), { a: 'b=c', d: '' }));
