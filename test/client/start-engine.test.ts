import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { connectEngine } from '../../src/client/connect.ts';
import { engineClient } from '../../src/client/engine-client.ts';
import { stopEngine } from '../../src/client/stop-engine.ts';
import type { EngineProgram } from '../../src/client/start-engine.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';

const PROGRAM = fileURLToPath(new URL('fake-engine-program.ts', import.meta.url));

interface Host extends AsyncDisposable {
  paths: Paths;
  program(mode: 'serve' | 'broken'): EngineProgram;
}

async function host(): Promise<Host> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-start-'));
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: folder });
  return {
    paths,
    program: (mode) => ({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', PROGRAM, mode, paths.engineSocket],
      timeLimit: 30_000,
    }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test('two clients that start an engine at once get the same one', async (t) => {
  await using own = await host();
  const options = { start: true, paths: own.paths, program: own.program('serve') };
  await Promise.all([connectEngine(options), connectEngine(options)]);
  const again = await connectEngine(options);
  t.false(again.started);
  t.true(await stopEngine(new AbortController().signal, own.paths));
  t.false(await stopEngine(new AbortController().signal, own.paths));
});

test('an engine that ends at once is an error with the end of its log', async (t) => {
  await using own = await host();
  const error = await t.throwsAsync(connectEngine({ start: true, paths: own.paths, program: own.program('broken') }), {
    code: 'engine-unavailable',
  });
  t.is(error.message, 'start the engine: it ended with status 1; its log ends:\n  libvirt is not installed');
});

test('an engine that never answers is an error, in bounded time', async (t) => {
  await using own = await host();
  // Ends by itself, for nobody else would end it.
  const program = { command: process.execPath, args: ['-e', 'setTimeout(() => {}, 2000)'], timeLimit: 500 };
  const error = await t.throwsAsync(connectEngine({ start: true, paths: own.paths, program }), {
    code: 'engine-unavailable',
  });
  t.regex(error.message, /did not answer within 0\.5 s/);
});

test('without leave to start one, no engine is an error with the way to one', async (t) => {
  await using own = await host();
  await t.throwsAsync(connectEngine({ start: false, paths: own.paths }), { code: 'engine-unavailable' });
  const error = await t.throwsAsync(engineClient(own.paths.engineSocket).status());
  t.like(error, { hint: 'Run `nest engine start`.' });
});

test('a program that is not there is an error', async (t) => {
  await using own = await host();
  const program = { command: path.join(own.paths.data, 'nothing'), args: [], timeLimit: 1000 };
  await t.throwsAsync(connectEngine({ start: true, paths: own.paths, program }), { code: 'engine-unavailable' });
});
