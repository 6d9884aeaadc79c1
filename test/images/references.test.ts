import test from 'ava';
import { isLoopback, normalize, parseReference } from '../../src/images/references.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const valid = test.macro<[string, string]>({
  exec: (t, name, normalized) => t.is(normalize(name), normalized),
  title: (_, name, normalized) => `${name} is ${normalized}`,
});

test(valid, 'hello', 'docker.io/library/hello:latest');
test(valid, 'hello:1', 'docker.io/library/hello:1');
test(valid, 'team/hello', 'docker.io/team/hello:latest');
test(valid, 'docker.io/hello', 'docker.io/library/hello:latest');
test(valid, 'index.docker.io/team/hello', 'docker.io/team/hello:latest');
test(valid, 'localhost/nest-hello', 'localhost/nest-hello:latest');
test(valid, 'localhost:5000/x/y:v1.2_3', 'localhost:5000/x/y:v1.2_3');
test(valid, 'host:5000/x', 'host:5000/x:latest');
test(valid, 'registry.example/a/b/c', 'registry.example/a/b/c:latest');
test(valid, 'UPPER/x', 'UPPER/x:latest');
test(valid, '[::1]:5000/x:2', '[::1]:5000/x:2');
test(valid, 'a__b/c-d.e--f', 'docker.io/a__b/c-d.e--f:latest');
test(valid, `host:5000/x/y@${DIGEST}`, `host:5000/x/y@${DIGEST}`);
test(valid, `hello:1@${DIGEST}`, `docker.io/library/hello@${DIGEST}`);

const refused = test.macro<[string]>({
  exec: (t, name) => {
    t.throws(() => normalize(name), { code: 'invalid-input' });
  },
  title: (_, name) => `${JSON.stringify(name.slice(0, 40))} (${name.length} characters) is no image name`,
});

test(refused, '');
test(refused, 'Hello');
test(refused, 'a//b');
test(refused, '../etc/passwd');
test(refused, '/absolute');
test(refused, 'hello:');
test(refused, 'hello:a b');
test(refused, 'hello\n');
test(refused, '-flag');
test(refused, 'a___b');
test(refused, 'host:port/x');
test(refused, 'x@sha256:abc');
test(refused, `x@sha512:${'a'.repeat(128)}`);
test(refused, 'a'.repeat(64));
test(refused, `${'a/'.repeat(130)}b`);
test(refused, 'a'.repeat(100_000));

test('only registries on this machine are asked without TLS', (t) => {
  const loopback = (name: string) => isLoopback(parseReference(name));
  for (const name of ['localhost/x', 'localhost:5000/x', '127.0.0.1:5000/x', '127.1.2.3/x', '[::1]:5000/x'])
    t.true(loopback(name), name);
  for (const name of ['x', 'localhost.example/x', '127.0.0.1.example/x', '10.0.0.1:5000/x', '[::2]/x'])
    t.false(loopback(name), name);
});
