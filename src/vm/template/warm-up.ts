import { randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import * as v from 'valibot';
import {
  AgentInfo,
  ContainerState,
  REHEARSAL_LAYER,
  type ContainerSpec,
  type ExecSpec,
  type Identity,
} from '../../../guest-agent/api.ts';
import type { Trunk } from '../../trunk/trunk.ts';

/**
 * Has the agent do once what clones will ask of it: what V8 compiles and the kernel reads meanwhile is shared by all of
 * them. The guest is nobody again afterwards.
 */
export async function warmUp(trunk: Trunk, signal: AbortSignal): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await trunk.request({ method: 'GET', path: '/v1/info', signal }, AgentInfo);
    const body: Identity = { ...IDENTITY, entropy: randomBytes(64).toString('base64'), now: Date.now() };
    await trunk.send({ method: 'PUT', path: '/v1/rehearsal', body, signal });
    await trunk.send({ method: 'PUT', path: '/v1/clock', body: { now: Date.now() }, signal });
    await runContainer(trunk, signal);
    await trunk.send({ method: 'DELETE', path: '/v1/rehearsal', signal });
  }
}

async function runContainer(trunk: Trunk, signal: AbortSignal): Promise<void> {
  const container = `/v1/containers/${SPEC.id}`;
  await trunk.request({ method: 'POST', path: '/v1/containers', body: SPEC, signal }, ContainerState);
  await trunk.request({ method: 'POST', path: `${container}/start`, signal }, ContainerState);
  const exec = { method: 'POST', path: `${container}/exec`, body: EXEC, signal } as const;
  const { execId } = await trunk.request(exec, v.object({ execId: v.string() }));
  (await trunk.read({ method: 'POST', path: `/v1/exec/${execId}/start`, signal })).resume();
  await trunk.request({ method: 'POST', path: `${container}/stop?seconds=0`, signal }, ContainerState);
  const logs = await trunk.read({ method: 'GET', path: `${container}/logs?stdout=1&stderr=1`, signal });
  await finished(logs.resume());
  await trunk.send({ method: 'DELETE', path: container, signal });
}

const PROCESS = { env: ['PATH=/usr/bin:/bin'], cwd: '/', user: '', stdin: false };
const SPEC: ContainerSpec = {
  ...PROCESS,
  id: '0'.repeat(64),
  hostname: 'rehearsal',
  layers: [REHEARSAL_LAYER],
  argv: ['/bin/sh', '-c', 'echo rehearsal; read never'],
  stdin: true,
  stopSignal: 'SIGKILL',
  stopSeconds: 0,
  limits: { memory: { limit: 64 * 1024 * 1024 }, cpu: { quota: 100_000 }, pids: { limit: 64 } },
  restart: { name: 'no', maximumRetries: 0 },
  annotations: {},
};
const EXEC: ExecSpec = { ...PROCESS, argv: ['/bin/true'] };
const IDENTITY = { hostname: 'rehearsal', machineId: '0'.repeat(32) };
const ROUNDS = 3;
