import { readFileSync } from 'node:fs';
import os from 'node:os';
import { type AgentInfo, ClockReading, Identity, REHEARSAL_LAYER } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { readBody } from './input.ts';
import type { Routes } from './router.ts';

/** What is answered before the guest has an identity, and gives it one. */
export const identityRoutes: Routes = {
  'GET /v1/info': ({ runtime }) => ({ status: 200, body: agentInfo(runtime) }),

  async 'PUT /v1/identity'({ runtime, stream }) {
    await runtime.self.take(await readBody(stream, Identity));
    return { status: 200, body: agentInfo(runtime) };
  },

  async 'PUT /v1/rehearsal'({ runtime, stream }) {
    await runtime.self.rehearse(await readBody(stream, Identity));
    runtime.layers.mountRoot();
    return { status: 204 };
  },

  async 'DELETE /v1/rehearsal'({ runtime }) {
    if (runtime.containers.size > 0) throw conflict('end rehearsal: there are containers');
    await runtime.layers.unmount(REHEARSAL_LAYER);
    await runtime.self.endRehearsal();
    return { status: 204 };
  },

  async 'PUT /v1/clock'({ runtime, stream }) {
    const { now } = await readBody(stream, ClockReading);
    runtime.machine.setClock(now);
    return { status: 204 };
  },
};

function agentInfo({ self }: Runtime): AgentInfo {
  return {
    kernel: os.release(),
    bootId: self.bootId(),
    hostname: os.hostname(),
    cpus: os.availableParallelism(),
    memoryTotal: os.totalmem(),
    memoryAvailable: memoryAvailable(),
    pid: process.pid,
  };
}

/** Bytes that programs can still get, caches included: MemAvailable, proc_meminfo(5). */
function memoryAvailable(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}
