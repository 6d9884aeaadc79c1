import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openAgent } from '../../guest-agent/agent.ts';
import type { ContainerRecord, ContainerSpec, ContainerState } from '../../guest-agent/api.ts';
import { type Clock, systemClock } from '../../guest-agent/clock.ts';
import { agentSocket, type Folders } from '../../guest-agent/folders.ts';
import { type AgentClient, connectClient } from './client.ts';
import { fakeKernel } from './fake-kernel.ts';
import { fakeMachine, IDENTITY } from './fake-machine.ts';
import { type FakeZygote, openFakeZygote } from './fake-zygote.ts';

export interface Fixture {
  folder: string;
  folders: Folders;
  zygote: FakeZygote;
  client: AgentClient;
  /** Resolves when the agent would end itself. */
  ended: Promise<void>;
}

export function testFolders(t: ExecutionContext): { folder: string; folders: Folders } {
  const folder = mkdtempSync(join(tmpdir(), 'nest-agent-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, folders: { state: join(folder, 'state'), runtime: join(folder, 'run') } };
}

/** An agent in this process, with one layer, on a fake zygote and a fake kernel. */
export async function openFixture(t: ExecutionContext, clock: Clock = systemClock): Promise<Fixture> {
  const { folder, folders } = testFolders(t);
  const zygoteSocket = join(folder, 'zygote.sock');
  const zygote = await openFakeZygote(zygoteSocket);
  const ended = Promise.withResolvers<void>();
  const agent = await openAgent({
    folders,
    clock,
    kernel: fakeKernel(folder),
    machine: fakeMachine(),
    zygoteSocket,
    slots: 0,
    endAgent: ended.resolve,
  });
  const client = connectClient(agentSocket(folders));
  t.teardown(async () => {
    for (const { spec } of (await client.ask('GET', '/v1/containers')).body as ContainerRecord[])
      await client.ask('DELETE', `/v1/containers/${spec.id}?force=1`);
    client.close();
    agent.close();
    await zygote.close();
  });
  await client.ask('PUT', '/v1/identity', IDENTITY);
  await client.ask('PUT', `/v1/layers/${LAYER}`, { serial: LAYER.slice(7, 27) });
  return { folder, folders, zygote, client, ended: ended.promise };
}

export const LAYER = `sha256:${'ab'.repeat(32)}`;

let last = 0;

/** A container that runs a shell command. */
export function shell(command: string, change: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    id: (last += 1).toString(16).padStart(64, '0'),
    hostname: 'test',
    layers: [LAYER],
    argv: ['sh', '-c', command],
    env: [],
    cwd: '/',
    user: '',
    stdin: false,
    stopSignal: 'SIGTERM',
    stopSeconds: 10,
    limits: {},
    restart: { name: 'no', maximumRetries: 0 },
    annotations: {},
    ...change,
  };
}

/** Creates and starts the container, and waits for its end where asked. */
export async function run(client: AgentClient, spec: ContainerSpec, wait = true): Promise<ContainerState> {
  await client.ask('POST', '/v1/containers', spec);
  const started = await client.ask('POST', `/v1/containers/${spec.id}/start`);
  if (!wait) return started.body as ContainerState;
  return (await client.ask('POST', `/v1/containers/${spec.id}/wait`)).body as ContainerState;
}
