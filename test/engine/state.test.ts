import test from 'ava';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NestError } from '../../src/errors.ts';
import { mergeRecord } from '../../src/engine/containers/merge.ts';
import { createRequest } from '../../src/engine/docker-api/create-body.ts';
import { loadInstance } from '../../src/engine/state/instance.ts';
import type { Container } from '../../src/engine/state/record.ts';
import { openState } from '../../src/engine/state/state.ts';
import { HELLO } from '../helpers/engine.ts';

async function folder(t: { teardown(fn: () => Promise<void>): void }): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'nest-state-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

function container(digit: string, name: string): Container {
  const id = digit.repeat(64);
  const state = { id, status: 'created' as const, pid: 0, createdAt: 1, startedAt: 0, finishedAt: 0 };
  return {
    record: mergeRecord(createRequest({ Image: 'hello' }, name), HELLO, id, name),
    phase: 'created',
    guest: 'g',
    lost: null,
    state: { ...state, paused: false, health: 'none', exitCode: 0, oomKilled: false, restarts: 0, error: '' },
    bindings: [],
  };
}

test('what was saved is there after opening it again', async (t) => {
  const file = path.join(await folder(t), 'state.db');
  const first = openState(file);
  t.not(first.adoptBefore, null);
  const saved = container('a', 'web');
  first.containers.save(saved);
  first.containers.save(container('b', 'db'));
  first.containers.delete('b'.repeat(64));
  first.containers.update('a'.repeat(64), { bindings: [{ containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080 }] });
  first.close();
  const second = openState(file);
  t.is(second.adoptBefore, null);
  t.deepEqual(second.containers.all(), [
    { ...saved, bindings: [{ containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080 }] },
  ]);
  second.close();
});

test('a name belongs to one container', async (t) => {
  const state = openState(path.join(await folder(t), 'state.db'));
  t.teardown(() => state.close());
  state.containers.save(container('a', 'web'));
  t.throws(() => state.containers.save(container('b', 'web')), { message: /in use by aaaaaaaaaaaa/ });
  t.is(state.containers.all().length, 1);
});

test('a container is found by id, name and a prefix that fits one only', async (t) => {
  const state = openState(path.join(await folder(t), 'state.db'));
  t.teardown(() => state.close());
  state.containers.save(container('a', 'web'));
  const other = { ...container('b', 'db') };
  const id = `ab${'0'.repeat(62)}`;
  state.containers.save({ ...other, record: { ...other.record, id }, state: { ...other.state, id } });
  t.is(state.containers.find('/web').record.name, 'web');
  t.is(state.containers.find('ab').record.name, 'db');
  t.throws(() => state.containers.find('a'), { message: /2 ids begin so/ });
  t.throws(() => state.containers.find('c'), { message: 'No such container: c' });
});

test('a network that could not be read back is not saved', async (t) => {
  const file = path.join(await folder(t), 'state.db');
  const state = openState(file);
  const range = { subnet: '10.5.0.0/24', gateway: '10.5.0.1' };
  const network = { id: 'a'.repeat(64), name: 'shop', zone: null, ...range, internal: false, createdAt: 1 };
  const labels = { long: 'x'.repeat(200 * 1024) };
  t.throws(() => state.networks.save({ ...network, labels }), {
    instanceOf: NestError,
    code: 'invalid-input',
    message: /save network `shop`: labels\.long: /,
  });
  state.close();
  const again = openState(file);
  t.teardown(() => again.close());
  t.deepEqual(again.networks.all(), []);
});

test('the lock ends with the process that has it, however it ends', async (t) => {
  const file = path.join(await folder(t), 'state.db');
  const module = new URL('../../src/engine/state/state.ts', import.meta.url).href;
  const script = `import { openState } from '${module}'; openState('${file}'); process.kill(process.pid, 'SIGKILL');`;
  t.is(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal, 'SIGKILL');
  const state = openState(file);
  t.teardown(() => state.close());
  t.throws(() => openState(file), { message: /another engine uses it/ });
});

test('state of a newer nest, and what is no database, is refused and left alone', async (t) => {
  const made = await folder(t);
  const newer = path.join(made, 'newer.db');
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version=99');
  database.close();
  t.throws(() => openState(newer), { message: /written by a newer nest/ });
  const broken = path.join(made, 'broken.db');
  await writeFile(broken, 'no database at all, and longer than a header of one: '.repeat(10));
  t.throws(() => openState(broken), { message: /not a database/ });
});

test('an instance keeps its id, and opens only what it sealed', async (t) => {
  const made = await folder(t);
  const first = await loadInstance(made);
  const again = await loadInstance(made);
  t.is(again.id, first.id);
  const sealed = first.seal('text');
  t.is(again.unseal(sealed), 'text');
  t.is(again.unseal(`${sealed}!`), undefined);
  t.is(again.unseal('short'), undefined);
  t.is((await loadInstance(await folder(t))).unseal(sealed), undefined);
});
