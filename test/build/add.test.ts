import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { tarOf } from '../helpers/images.ts';
import { builder } from './builder.ts';

const BASE = 'FROM localhost/base\n';

for (const program of ['gzip', 'xz', 'bzip2', 'zstd'])
  test(`ADD unpacks an archive that ${program} has compressed`, async (t) => {
    const { build } = await builder(t);
    const content = execFileSync(program, ['-c'], {
      input: await tarOf([{ name: 'deep/file', content: 'in it', uid: 7 }]),
    });
    const { layers } = await build(`${BASE}ADD any.name /u/`, [{ name: 'any.name', content }]);
    t.deepEqual(layers.at(-1)?.slice(1), ['u/deep/ 755 0:0', 'u/deep/file 644 7:0 in it']);
  });

test('ADD fetches a file, and asks again for each build', async (t) => {
  const { build } = await builder(t);
  const server = await serve(t);
  const dockerfile = `${BASE}ARG HOST\nADD $HOST/some/a.txt $HOST/b%20c?x=1#y /d/\nADD $HOST/some/a.txt /e\n`;
  const change = { buildArgs: new Map([['HOST', server.url]]) };
  const { layers, steps } = await build(dockerfile, [], change);
  t.deepEqual(layers.slice(-2), [
    ['d/ 755 0:0', 'd/a.txt 600 0:0 /some/a.txt', 'd/b c 600 0:0 /b%20c?x=1'],
    ['e 600 0:0 /some/a.txt'],
  ]);
  t.deepEqual(steps, ['done', 'done', 'done', 'done']);
  t.deepEqual((await build(dockerfile, [], change)).steps.slice(-2), ['cached', 'cached']);
  server.content = 'other';
  t.deepEqual((await build(dockerfile, [], change)).layers.at(-1), ['e 600 0:0 other']);
});

test('with a checksum ADD fetches only what is not in the cache, and takes nothing else', async (t) => {
  const { build } = await builder(t);
  const server = await serve(t);
  server.content = 'expected';
  const sum = (algorithm: string) => `${algorithm}:${createHash(algorithm).update('expected').digest('hex')}`;
  for (const algorithm of ['sha256', 'sha512']) {
    const dockerfile = `${BASE}ADD --checksum=${sum(algorithm)} --chmod=644 --chown=web ${server.url}/f /f\n`;
    const { layers } = await build(dockerfile);
    t.deepEqual(layers.at(-1), ['f 644 33:34 expected']);
    const { requests } = server;
    t.deepEqual((await build(dockerfile)).steps, ['done', 'cached']);
    t.is(server.requests, requests);
  }
  const wrong = build(`${BASE}ADD --checksum=${sum('sha256').replace(/.$/, 'x')} ${server.url}/f /f\n`);
  await t.throwsAsync(wrong, { message: /Dockerfile:2: .*it takes sha256/ });
  server.content = 'something else';
  await t.throwsAsync(build(`${BASE}ADD --checksum=${sum('sha256')} ${server.url}/g /f\n`), {
    code: 'invalid-input',
    message: /its checksum is sha256:[0-9a-f]{64}, not/,
  });
});

test('an archive from elsewhere is not unpacked', async (t) => {
  const { build } = await builder(t);
  const server = await serve(t);
  server.content = await tarOf([{ name: 'file' }]);
  t.is((await build(`${BASE}ADD ${server.url}/x.tar /x/\n`)).layers.at(-1)?.length, 2);
});

test('what cannot be fetched is told with its reason', async (t) => {
  const { build } = await builder(t);
  const server = await serve(t);
  const { url } = server;
  const add = (rest: string) => build(`${BASE}ADD ${rest}\n`);
  await t.throwsAsync(add(`${url.replace('//', '//me:secret@')}/missing /f`), {
    code: 'invalid-input',
    message: /^Dockerfile:2: ADD .*: fetch http:\/\/127[^@]*\/missing: 404 Not Found$/,
  });
  t.is(server.login, `Basic ${Buffer.from('me:secret').toString('base64')}`);
  await t.throwsAsync(add('http://127.0.0.1:9/f /f'), { message: /fetch http:\/\/127.0.0.1:9\/f: / });
  await t.throwsAsync(add(`${url}/ /d/`), { message: /names no file/ });
  await t.throwsAsync(add('--checksum=sha256:00 a /d/'), { message: /for one URL/ });
});

/** Answers with the path that was asked for, unless `content` is set. */
async function serve(t: ExecutionContext) {
  const state = { url: '', requests: 0, login: '', content: undefined as string | Buffer | undefined };
  const server = createServer((request, response) => {
    state.requests += 1;
    state.login = request.headers.authorization ?? '';
    response.statusCode = request.url === '/missing' ? 404 : 200;
    response.setHeader('last-modified', 'Tue, 14 Nov 2023 22:13:20 GMT');
    response.end(state.content ?? request.url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}
