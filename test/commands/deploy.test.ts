import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { events, fakeEngine } from '../client/fake-engine.ts';
import { nest } from './nest.ts';

async function project(text: string): Promise<{ folder: string } & AsyncDisposable> {
  const root = await mkdtemp(path.join(tmpdir(), 'nest-deploy-'));
  const folder = path.join(root, 'hello');
  await mkdir(folder);
  await writeFile(path.join(folder, 'compose.yaml'), text);
  return { folder, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

const web = {
  service: 'web',
  container: 'hello-web-1',
  action: 'created',
  zone: 'hello',
  guest: 'hello-1',
  reason: 'new guest hello-1: the zone has none',
  ports: ['127.0.0.1:8080->80/tcp'],
};
const result = (...services: object[]) => ({ type: 'result', value: { project: 'hello', services } });

test.serial('deploy sends the file’s text and shows what was done and why', async (t) => {
  await using place = await project('services: {}');
  await using engine = await fakeEngine({
    'POST /nest/deployments': events({ type: 'step', id: 1, title: 'Boot guest', state: 'running' }, result(web)),
  });
  const { stdout, exitCode } = await nest(['deploy', place.folder], engine.env);
  t.is(
    stdout,
    [
      'SERVICE  ACTION   ZONE   GUEST    PORTS',
      'web      created  hello  hello-1  127.0.0.1:8080->80/tcp',
      'web: new guest hello-1: the zone has none',
      '',
    ].join('\n'),
  );
  t.is(exitCode, 0);
  t.deepEqual(engine.seen[0]?.body, {
    file: 'services: {}',
    fileName: 'compose.yaml',
    folder: 'hello',
    directory: place.folder,
    environment: {},
  });
});

test.serial('deploy of what is there says so in one line', async (t) => {
  await using place = await project('services: {}');
  const unchanged = { ...web, action: 'unchanged' };
  await using engine = await fakeEngine({ 'POST /nest/deployments': events(result(unchanged)) });
  t.is((await nest(['deploy', place.folder], engine.env)).stdout, 'hello is up to date: 1 service unchanged\n');
});

test.serial('warnings go to stderr', async (t) => {
  await using place = await project('services: {}');
  const warning = { type: 'warning', message: 'software emulation is no security boundary' };
  await using engine = await fakeEngine({ 'POST /nest/deployments': events(warning, result(web)) });
  t.is((await nest(['deploy', place.folder], engine.env)).stderr, `Warning: ${warning.message}\n`);
});

test.serial('several problems of a file are listed under the error', async (t) => {
  await using place = await project('services: {}');
  const error = {
    code: 'invalid-compose',
    message: 'compose.yaml: 2 errors',
    hint: 'compose.yaml:1:1: a\ncompose.yaml:2:1: b',
  };
  await using engine = await fakeEngine({ 'POST /nest/deployments': events({ type: 'error', error }) });
  const { stderr, exitCode } = await nest(['deploy', place.folder], engine.env);
  t.is(stderr, 'Error: compose.yaml: 2 errors\n  compose.yaml:1:1: a\n  compose.yaml:2:1: b\n');
  t.is(exitCode, 1);
});

test.serial('an engine that dies in the middle is an error, not success', async (t) => {
  await using place = await project('services: {}');
  await using engine = await fakeEngine({
    'POST /nest/deployments': (reply) => {
      reply.writeHead(200).write('{"type":"step","id":1,"title":"Boot","state":"running"}\n');
      setImmediate(() => reply.destroy());
    },
  });
  const { stdout, exitCode } = await nest(['deploy', place.folder, '--json'], engine.env);
  t.is((JSON.parse(stdout) as { error: { code: string } }).error.code, 'engine-unavailable');
  t.is(exitCode, 1);
});

test.serial('down takes a project, or the folder that it was deployed from', async (t) => {
  await using place = await project('services: {}');
  const done = { type: 'result', value: { project: 'hello', removed: ['hello-web-1'], guests: ['hello-1'] } };
  await using engine = await fakeEngine({ 'DELETE /nest/deployments/hello': events(done) });
  const byName = await nest(['down', 'hello'], engine.env);
  t.is(byName.stdout, 'Removed container hello-web-1\nRemoved guest hello-1\n');
  t.deepEqual(await nest(['down', place.folder], engine.env), byName);
});
