import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ContainerRecord, ContainerSpec, ContainerState } from '../../../guest-agent/api.ts';
import { agentSocket, type Folders } from '../../../guest-agent/folders.ts';
import { type AgentClient, connectClient, framed, readAll } from '../client.ts';
import { IDENTITY } from '../fake-machine.ts';
import { type FakeZygote, openFakeZygote } from '../fake-zygote.ts';
import { LAYER, run, shell, testFolders } from '../fixture.ts';

interface Machine {
  folder: string;
  folders: Folders;
  zygote: FakeZygote;
  /** Starts an agent process; SIGKILL ends it. */
  boot(): Promise<{ client: AgentClient; restarted: boolean; kill(): Promise<void> }>;
}

async function openMachine(t: ExecutionContext): Promise<Machine> {
  const { folder, folders } = testFolders(t);
  const socket = join(folder, 'zygote.sock');
  const zygote = await openFakeZygote(socket);
  const agents: ChildProcess[] = [];
  t.teardown(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await machine.zygote.close();
  });
  const machine: Machine = {
    folder,
    folders,
    zygote,
    async boot() {
      const script = join(import.meta.dirname, '../agent-process.ts');
      const agent = fork(script, [folders.state, folders.runtime, folder, socket]);
      agents.push(agent);
      const [{ restarted }] = (await once(agent, 'message')) as [{ restarted: boolean }];
      const client = connectClient(agentSocket(folders));
      await client.ask('PUT', '/v1/identity', IDENTITY);
      await client.ask('PUT', `/v1/layers/${LAYER}`, { serial: LAYER.slice(7, 27) });
      return {
        client,
        restarted,
        async kill() {
          client.close();
          agent.kill('SIGKILL');
          await once(agent, 'exit');
        },
      };
    },
  };
  return machine;
}

const stateOf = async (client: AgentClient, id: string): Promise<ContainerState> =>
  ((await client.ask('GET', `/v1/containers/${id}`)).body as ContainerRecord).state;

const logOf = async (client: AgentClient, id: string, query = '') =>
  framed(await readAll((await client.open('GET', `/v1/containers/${id}/logs?stdout=1${query}`)).stream), 1);

test('containers run on while the agent is away, and no line of theirs is lost or doubled', async (t) => {
  const machine = await openMachine(t);
  let agent = await machine.boot();
  t.false(agent.restarted);
  const spec = shell('i=0; while [ $i -lt 1500 ]; do echo $i; i=$((i+1)); sleep 0.002; done; exec sleep 60');
  await run(agent.client, spec, false);
  const before = await stateOf(agent.client, spec.id);
  for (const line of [0, 300, 600, 900]) {
    await untilLogged(agent.client, spec.id, line);
    await agent.kill();
    agent = await machine.boot();
    t.true(agent.restarted);
    t.deepEqual(await stateOf(agent.client, spec.id), before);
  }
  const text = await untilLogged(agent.client, spec.id, 1499);
  t.is(text, Array.from({ length: 1500 }, (_, i) => `${i}\n`).join(''));
  t.like((await agent.client.ask('POST', `/v1/containers/${spec.id}/stop`)).body, { status: 'exited', exitCode: 143 });
});

test('an exit that happened meanwhile is recorded with its code and its last words', async (t) => {
  const machine = await openMachine(t);
  const first = await machine.boot();
  const spec = shell('read line; echo last words; exit 6', { stdin: true });
  await run(first.client, spec, false);
  await first.kill(); // Its stdin ends with the agent.
  await untilExited(machine.zygote, spec.id);
  const second = await machine.boot();
  t.like(await stateOf(second.client, spec.id), { status: 'exited', exitCode: 6, pid: 0 });
  t.is(await logOf(second.client, spec.id), 'last words\n');
  t.is((await second.client.ask('DELETE', `/v1/containers/${spec.id}`)).status, 204);
  t.deepEqual(readdirSync(join(machine.folders.state, 'containers')), []);
});

test('a restart policy acts on an exit that happened meanwhile', async (t) => {
  const machine = await openMachine(t);
  const first = await machine.boot();
  const restart = { name: 'on-failure', maximumRetries: 1 } as const;
  const spec = shell('echo run; read line; exit 6', { stdin: true, restart });
  await run(first.client, spec, false);
  await first.kill();
  await untilExited(machine.zygote, spec.id);
  const second = await machine.boot();
  const { stream } = await second.client.open('GET', `/v1/containers/${spec.id}/logs?stdout=1&follow=1`);
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += framed(chunk, 1);
    if (text === 'run\nrun\n') break;
  }
  t.like(await stateOf(second.client, spec.id), { status: 'running', restarts: 1 });
});

test('a container whose process nobody knows any more has exited', async (t) => {
  const machine = await openMachine(t);
  const first = await machine.boot();
  const spec = shell('exec sleep 60');
  await run(first.client, spec, false);
  await first.kill();
  machine.zygote.processes.clear();
  const second = await machine.boot();
  t.like(await stateOf(second.client, spec.id), { status: 'exited', exitCode: 255, pid: 0 });
});

test('an update that an agent was killed in is finished by the next one, and one half written has not happened', async (t) => {
  const machine = await openMachine(t);
  const first = await machine.boot();
  const [asked, torn] = [shell('exec sleep 60'), shell('exec sleep 60')];
  for (const spec of [asked, torn]) await run(first.client, spec, false);
  const file = ({ id }: ContainerSpec) => join(machine.folders.state, 'containers', id, 'spec.json.new');
  const limits = { pids: { limit: 5 } };
  writeFileSync(file(asked), JSON.stringify({ spec: { ...asked, limits }, createdAt: 1 }));
  writeFileSync(file(torn), '{"spec":');
  await first.kill();
  const second = await machine.boot();
  t.like((await second.client.ask('GET', `/v1/containers/${asked.id}`)).body, { spec: { limits } });
  t.like((await second.client.ask('GET', `/v1/containers/${torn.id}`)).body, { spec: { limits: {} } });
  for (const spec of [asked, torn]) t.false(existsSync(file(spec)));
  const cgroups = readdirSync(join(machine.folder, 'cgroup')).map((name) => join(machine.folder, 'cgroup', name));
  const applied = cgroups.filter((cgroup) => existsSync(join(cgroup, `${asked.id}.pid`)));
  t.deepEqual(
    applied.map((cgroup) => JSON.parse(readFileSync(join(cgroup, 'limits.json'), 'utf8')) as unknown),
    [limits],
  );
});

test('a zygote that dies takes its containers with it; an exec waits for the next one and says so', async (t) => {
  const machine = await openMachine(t);
  const { client } = await machine.boot();
  const [lost, kept] = [
    shell('exec sleep 60'),
    shell('exec sleep 60', { restart: { name: 'always', maximumRetries: 0 } }),
  ];
  for (const spec of [lost, kept]) await run(client, spec, false);
  const body = { argv: ['true'], env: [], cwd: '/', user: '', stdin: false };
  const { execId } = (await client.ask('POST', `/v1/containers/${lost.id}/exec`, body)).body as { execId: string };
  const dead = machine.zygote;
  dead.die();
  t.teardown(() => dead.close());
  const answer = client.ask('POST', `/v1/exec/${execId}/start`);
  machine.zygote = await openFakeZygote(join(machine.folder, 'zygote.sock'));
  t.like(await answer, { status: 409 });
  const state = (await client.ask('POST', `/v1/containers/${lost.id}/wait`)).body as ContainerState;
  t.like(state, { status: 'exited', exitCode: 255 });
  t.regex(state.error, /the zygote, its parent, died/);
  while ((await stateOf(client, kept.id)).status !== 'running') await new Promise((resolve) => setImmediate(resolve));
  t.is((await stateOf(client, kept.id)).restarts, 1);
});

test('what an interrupted create or delete left behind goes away', async (t) => {
  const machine = await openMachine(t);
  const first = await machine.boot();
  await run(first.client, shell('true'));
  await first.kill();
  const containers = join(machine.folders.state, 'containers');
  mkdirSync(join(containers, `.${'f'.repeat(64)}.1.1/upper/deep`), { recursive: true });
  const second = await machine.boot();
  t.is(((await second.client.ask('GET', '/v1/containers')).body as unknown[]).length, 1);
  while (readdirSync(containers).length > 1) await second.client.ask('GET', '/v1/info');
  t.pass();
});

/** Follows the log until it has this line. */
async function untilLogged(client: AgentClient, id: string, line: number): Promise<string> {
  const { stream } = await client.open('GET', `/v1/containers/${id}/logs?stdout=1&follow=1`);
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += framed(chunk, 1);
    if (`\n${text}`.includes(`\n${line}\n`)) break;
  }
  return text;
}

async function untilExited(zygote: FakeZygote, id: string): Promise<void> {
  while (zygote.processes.get(id)?.exit === null) await new Promise((resolve) => setImmediate(resolve));
}
