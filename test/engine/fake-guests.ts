import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { NestError } from '../../src/errors.ts';
import { connectTrunk, type Trunk } from '../../src/trunk/trunk.ts';
import type { AttachedVolume, GuestRecord, Guests } from '../../src/vm/guests.ts';
import { serveFakeAgent, type FakeAgent } from './fake-agent.ts';

export interface FakeGuests extends Guests {
  /** Of guests whose agent runs in this process. */
  agent(id: string): FakeAgent;
  /** QEMU is killed. */
  crash(id: string): Promise<void>;
  /** The next create fails when it is about to be ready. */
  failNext(error: NestError): void;
  /** Boots do not become ready until the returned function is called. */
  hold(): () => void;
  created: number;
}

/**
 * Guests without machines. Their records are files in `folder`, as libvirt's metadata would be, so that a second engine
 * finds them; their agents run in this process, or in processes of their own when they must outlive it.
 */
export function fakeGuests(folder: string, agents: 'inside' | 'processes'): FakeGuests {
  mkdirSync(folder, { recursive: true });
  const records = new Map<string, GuestRecord>();
  const inside = new Map<string, FakeAgent>();
  /** What guests that were stopped keep. */
  const disks = new Map<string, FakeAgent['containers']>();
  const trunks = new Map<string, Trunk>();
  const attached = new Map<string, AttachedVolume[]>();
  const listeners: ((guest: GuestRecord) => void)[] = [];
  let failure: NestError | undefined;
  let held: Promise<unknown> = Promise.resolve();
  const file = (id: string) => path.join(folder, `${id}.json`);
  const socket = (id: string) => path.join(folder, `${id}.sock`);
  const keep = (record: GuestRecord, pid?: number) => {
    records.set(record.id, record);
    writeFileSync(file(record.id), JSON.stringify({ record, pid }));
    for (const listener of listeners) listener(record);
  };
  const known = (id: string) => {
    const record = records.get(id);
    if (record === undefined) throw new Error(`no guest ${id}`);
    return record;
  };
  const launch = async (id: string): Promise<number | undefined> => {
    if (agents === 'inside') {
      inside.set(id, await serveFakeAgent(socket(id)));
      return undefined;
    }
    const script = fileURLToPath(new URL('fake-agent.ts', import.meta.url));
    const child = spawn(process.execPath, [script, socket(id)], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    child.unref();
    return child.pid;
  };
  const end = async (id: string) => {
    trunks.get(id)?.close();
    trunks.delete(id);
    await inside.get(id)?.close();
    inside.delete(id);
    if (existsSync(file(id))) endProcess(file(id));
  };
  const fake: FakeGuests = {
    created: 0,
    adopt() {
      for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.json'))) {
        const { record } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { record: GuestRecord };
        records.set(record.id, record);
      }
      return Promise.resolve();
    },
    list: () => [...records.values()],
    get: (id) => records.get(id),
    async create({ zone, name, shape }, progress, signal) {
      fake.created += 1;
      return progress.step(`Booting guest ${name}`, async () => {
        const id = randomBytes(6).toString('hex');
        const times = { createdAt: Date.now(), bootId: crypto.randomUUID(), kernel: '6.1.0-fake' };
        const record: GuestRecord = {
          id,
          name,
          zone,
          shape,
          state: 'running',
          reason: null,
          accelerator: 'tcg',
          domain: `nest-fake-${id}`,
          uuid: crypto.randomUUID(),
          template: null,
          stock: null,
          next: null,
          ...DIGESTS,
          ...times,
        };
        const pid = await launch(id);
        await Promise.race([held, ...(signal === undefined ? [] : [aborted(signal)])]);
        const error = signal?.aborted === true ? new NestError('cancelled', 'cancelled') : failure;
        failure = undefined;
        if (error !== undefined) {
          await end(id);
          throw error;
        }
        keep(record, pid);
        return record;
      });
    },
    async stop(id) {
      const record = known(id);
      const containers = inside.get(id)?.containers;
      if (containers !== undefined) disks.set(id, containers);
      await end(id);
      keep({ ...record, state: 'stopped', reason: null });
    },
    async start(id) {
      const record = known(id);
      if (record.state !== 'stopped') return;
      const pid = await launch(id);
      for (const [containerId, container] of disks.get(id) ?? [])
        inside.get(id)?.containers.set(containerId, container);
      keep({ ...record, shape: record.next ?? record.shape, next: null, state: 'running' }, pid);
    },
    async pause(id) {
      keep({ ...known(id), state: 'paused' });
      await Promise.resolve();
    },
    async resume(id) {
      keep({ ...known(id), state: 'running' });
      await Promise.resolve();
    },
    resize(id, shape) {
      keep({ ...known(id), next: shape });
      return Promise.resolve();
    },
    processLimits: () => Promise.resolve({ memory: null, cpus: null }),
    snapshots: () => Promise.resolve([]),
    takeSnapshot: () => Promise.reject(new Error('not here')),
    restoreSnapshot: () => Promise.reject(new Error('not here')),
    deleteSnapshot: () => Promise.resolve(),
    attachScratch: () => Promise.reject(new Error('no disks here')),
    attachLayer: async (id, { diffId }) => {
      await fake.trunk(id).send({
        method: 'PUT',
        path: `/v1/layers/${encodeURIComponent(diffId)}`,
        body: { serial: diffId.slice(7, 27) },
      });
    },
    async detachLayers(id, wanted) {
      const mounted = await fake.trunk(id).request({ method: 'GET', path: '/v1/layers' }, v.array(v.string()));
      for (const diffId of mounted) {
        const now = wanted();
        if (now === 'all' || now.includes(diffId)) continue;
        await fake.trunk(id).send({ method: 'DELETE', path: `/v1/layers/${encodeURIComponent(diffId)}` });
      }
    },
    async attachVolume(id, volume) {
      const others = attached.get(id) ?? [];
      attached.set(id, [
        ...others.filter((each) => each.id !== volume.id),
        { id: volume.id, readOnly: volume.readOnly },
      ]);
      await Promise.resolve();
    },
    async detachVolume(id, volumeId) {
      attached.set(
        id,
        (attached.get(id) ?? []).filter((each) => each.id !== volumeId),
      );
      await Promise.resolve();
    },
    attachedVolumes: (id) => Promise.resolve(records.get(id)?.state === 'stopped' ? [] : (attached.get(id) ?? [])),
    trunk(id) {
      const trunk = trunks.get(id) ?? connectTrunk(socket(id));
      trunks.set(id, trunk);
      return trunk;
    },
    async remove(id) {
      const record = records.get(id);
      await end(id);
      // As the trunk's closing makes it.
      if (record !== undefined) for (const listener of listeners) listener({ ...record, state: 'unreachable' });
      records.delete(id);
      rmSync(file(id), { force: true });
    },
    sshAccess: () => Promise.reject(new Error('not here')),
    dialSshd: () => Promise.reject(new Error('not here')),
    poolFilled: () => Promise.resolve(),
    hostUsage: () => Promise.resolve({ held: 50 * 2 ** 20, shared: 100 * 2 ** 20 }),
    console: (id, lines) => Promise.resolve(`console of ${id}, ${lines} lines\n`),
    lastWords: (reference) => Promise.resolve(reference === 'gone-1' ? 'last words\n' : undefined),
    onChange: (listener) => void listeners.push(listener),
    close() {
      for (const trunk of trunks.values()) trunk.close();
      trunks.clear();
      listeners.length = 0;
      return Promise.resolve();
    },
    agent(id) {
      const agent = inside.get(id);
      if (agent === undefined) throw new Error(`no agent ${id} in this process`);
      return agent;
    },
    async crash(id) {
      const record = known(id);
      await end(id);
      keep({ ...record, state: 'stopped', reason: 'its QEMU ended' });
    },
    hold() {
      const gate = Promise.withResolvers<undefined>();
      held = gate.promise;
      return () => gate.resolve(undefined);
    },
    failNext(error) {
      failure = error;
    },
  };
  return fake;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort');
}

/** Ends the agents that were left in processes of their own. */
export function endFakeGuests(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.json')))
    endProcess(path.join(folder, name));
}

function endProcess(file: string): void {
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid?: number };
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const DIGESTS = { image: 'a'.repeat(64), agent: 'b'.repeat(64) };
