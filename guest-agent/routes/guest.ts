import { readFileSync } from 'node:fs';
import os from 'node:os';
import { type AgentInfo, DiffId, LayerDisk } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { parse, readBody } from './input.ts';
import type { Routes } from './router.ts';

/** The guest itself and the layers it has. */
export const guestRoutes: Routes = {
  'GET /v1/info': () => ({ status: 200, body: agentInfo() }),

  'POST /v1/restart'({ runtime, stream }) {
    stream.once('close', () => setImmediate(runtime.endAgent));
    return { status: 204 };
  },

  'GET /v1/layers': ({ runtime }) => ({ status: 200, body: runtime.layers.list() }),

  async 'PUT /v1/layers/:diffId'({ runtime, params, stream }) {
    const diffId = parse(DiffId, params.diffId, 'diff id');
    const { serial } = await readBody(stream, LayerDisk);
    await runtime.layers.mount(diffId, serial);
    return { status: 200, body: {} };
  },

  async 'DELETE /v1/layers/:diffId'({ runtime, params }) {
    const diffId = parse(DiffId, params.diffId, 'diff id');
    const user = userOf(runtime, diffId);
    if (user !== undefined) throw conflict(`unmount layer \`${diffId}\`: container ${user} uses it`);
    await runtime.layers.unmount(diffId);
    return { status: 204 };
  },
};

function userOf(runtime: Runtime, diffId: string): string | undefined {
  return [...runtime.containers.values()].find(({ spec }) => spec.layers.includes(diffId))?.spec.id;
}

function agentInfo(): AgentInfo {
  return {
    kernel: os.release(),
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    hostname: os.hostname(),
    cpus: os.availableParallelism(),
    memoryTotal: os.totalmem(),
    memoryAvailable: os.freemem(),
    pid: process.pid,
  };
}
