import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openLibvirt, type Libvirt, type LifecycleEvent } from '../../src/libvirt/libvirt.ts';
import { readMetadata, writeMetadata } from '../../src/libvirt/metadata.ts';
import { until } from '../helpers/until.ts';

// libvirt's test driver keeps its domains per process, for all connections: each test has a name of its own.

test('tells the versions', async (t) => {
  const { libvirt } = await (await open(t)).version();
  t.true(libvirt >= 7_000_000, String(libvirt));
});

test('a domain is defined, started, listed, destroyed and undefined', async (t) => {
  const libvirt = await open(t);
  const defined = await libvirt.define(domain('life'));
  t.like(defined, { name: 'life', active: false, state: 'shutoff' });
  await libvirt.start('life');
  t.deepEqual(
    (await libvirt.list()).find(({ name }) => name === 'life'),
    { name: 'life', uuid: defined.uuid, active: true, state: 'running', turnedOff: false },
  );
  t.regex(await libvirt.describe('life'), /<name>life<\/name>/);
  await libvirt.destroy('life');
  t.like(await libvirt.lookup('life'), { active: false, turnedOff: false });
  await libvirt.undefine('life');
  t.is(await libvirt.lookup('life'), undefined);
});

test('destroying and undefining what is gone succeeds', async (t) => {
  const libvirt = await open(t);
  await libvirt.define(domain('gone'));
  await libvirt.destroy('gone');
  await libvirt.undefine('gone');
  await libvirt.undefine('gone');
  await t.notThrowsAsync(libvirt.destroy('gone'));
});

test('errors carry the operation, its object and what libvirt said', async (t) => {
  const libvirt = await open(t);
  const error = await t.throwsAsync(libvirt.start('nobody'), {
    code: 'libvirt',
    message: 'start domain `nobody`: Domain not found',
  });
  // VIR_ERR_NO_DOMAIN from VIR_FROM_TEST.
  t.like(error, { cause: { failure: { code: 42, domain: 12 } } });
  await t.throwsAsync(libvirt.define('<domain>'), {
    code: 'libvirt',
    message: /^define domain: \(domain_definition\)/,
  });
  await t.throwsAsync(libvirt.monitorCommand('nobody', '{"execute":"query-status"}'), { code: 'libvirt' });
});

test('errors of calls that overlap stay with their calls', async (t) => {
  const libvirt = await open(t);
  const names = Array.from({ length: 50 }, (_, index) => `nobody-${index}`);
  const outcomes = await Promise.allSettled(
    names.map((name, index) => (index % 2 ? libvirt.lookup(name) : libvirt.start(name))),
  );
  outcomes.forEach((outcome, index) => {
    if (index % 2) t.like(outcome, { status: 'fulfilled', value: undefined });
    else t.regex(String((outcome as PromiseRejectedResult).reason), new RegExp(`nobody-${index}\``));
  });
});

test('metadata is kept as it was written, and replaced', async (t) => {
  const libvirt = await open(t);
  await libvirt.define(domain('metadata'));
  t.is(await readMetadata(libvirt, 'metadata'), undefined);
  for (const value of [{ text: `<&>"' ünï\n\t]]>`, list: [1, null] }, { other: true }]) {
    await writeMetadata(libvirt, 'metadata', value);
    t.deepEqual(await readMetadata(libvirt, 'metadata'), value);
  }
  t.is(await readMetadata(libvirt, 'nobody'), undefined);
});

test('a watcher hears of a domain from start to stop, and nothing once closed', async (t) => {
  const libvirt = await open(t);
  const events: LifecycleEvent[] = [];
  const heard = Promise.withResolvers<undefined>();
  const watching = Promise.withResolvers<undefined>();
  const watch = libvirt.watch({
    onConnection: (connected) => {
      if (connected) watching.resolve(undefined);
    },
    onLifecycle({ name, event }) {
      if (name !== 'watched') return;
      events.push(event);
      if (event === 'undefined') heard.resolve(undefined);
    },
  });
  await watching.promise;
  await libvirt.define(domain('watched'));
  await libvirt.start('watched');
  await libvirt.destroy('watched');
  await libvirt.undefine('watched');
  await heard.promise;
  t.deepEqual(events, ['defined', 'started', 'stopped', 'undefined']);
  watch.close();
  watch.close();
});

test('the event loop of this thread turns while libvirt works', async (t) => {
  const libvirt = await open(t);
  let done = false;
  // One after another: answers to calls made at once may all come in the same turn.
  const callInRow = async () => {
    for (let call = 0; call < 300; call++) await libvirt.capabilities();
  };
  const work = callInRow().finally(() => (done = true));
  let turns = 0;
  while (!done) {
    await new Promise(setImmediate);
    turns++;
  }
  await work;
  t.true(turns > 200, `${turns} turns`);
});

test('a libvirt that is not there is an error that says what to do', async (t) => {
  const error = await t.throwsAsync(openLibvirt('test+unix:///default?socket=/nonexistent/libvirt-sock'), {
    code: 'libvirt-unavailable',
    message: /^connect to libvirt `test\+unix:.*: Failed to connect socket to '\/nonexistent\/libvirt-sock'/,
  });
  t.regex((error as Error & { hint: string }).hint, /systemctl start libvirtd/);
});

test('calls after close fail at once, and closing twice is harmless', async (t) => {
  const libvirt = await openLibvirt('test:///default');
  await Promise.all([libvirt.close(), libvirt.close()]);
  await t.throwsAsync(libvirt.list(), { code: 'libvirt-unavailable' });
});

test('calls and watches go on after libvirtd was killed and started again', async (t) => {
  const daemon = await privateDaemon(t);
  await daemon.start();
  const libvirt = await open(t, daemon.uri);
  const connections: boolean[] = [];
  let told = Promise.withResolvers<undefined>();
  const watch = libvirt.watch({
    onLifecycle: () => undefined,
    onConnection(connected) {
      connections.push(connected);
      told.resolve(undefined);
    },
  });
  t.teardown(() => watch.close());
  const next = async (): Promise<void> => {
    await told.promise;
    told = Promise.withResolvers();
  };
  await next();
  await daemon.kill();
  await next();
  await t.throwsAsync(libvirt.list(), { code: 'libvirt-unavailable' });
  await daemon.start();
  await next();
  t.deepEqual(connections, [true, false, true]);
  t.true(Array.isArray(await libvirt.list()));
});

async function open(t: ExecutionContext, uri = 'test:///default'): Promise<Libvirt> {
  const libvirt = await openLibvirt(uri);
  t.teardown(() => libvirt.close());
  return libvirt;
}

function domain(name: string): string {
  return `<domain type="test"><name>${name}</name><memory unit="KiB">4096</memory><os><type>hvm</type></os></domain>`;
}

/** A session daemon with folders of its own, as an ordinary user's: root's would be the system's. */
async function privateDaemon(t: ExecutionContext) {
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-libvirtd-'));
  await chmod(folder, 0o777);
  const folders = { HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder };
  const env = { ...folders, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  let daemon: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (daemon?.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
  };
  t.teardown(async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  });
  const uri = `test+unix:///default?socket=${folder}/libvirt/libvirt-sock`;
  return {
    uri,
    kill,
    /** Resolves when it answers. */
    async start() {
      daemon = spawn('libvirtd', { env, stdio: 'ignore', ...user });
      await once(daemon, 'spawn');
      await until('libvirtd to answer', async () => {
        const libvirt = await openLibvirt(uri).catch(() => undefined);
        await libvirt?.close();
        return libvirt !== undefined;
      });
    },
  };
}
