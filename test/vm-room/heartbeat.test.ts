import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import type { Libvirt } from '../../src/libvirt/libvirt.ts';
import { nestPaths } from '../../src/paths.ts';
import { semaphore } from '../../src/semaphore.ts';
import type { Trunk } from '../../src/trunk/trunk.ts';
import { watchHeart } from '../../src/vm/heartbeat.ts';
import type { Guest, Host } from '../../src/vm/host.ts';
import type { GuestRecord } from '../../src/vm/record.ts';
import { until } from '../helpers/until.ts';

const LIMITS = { interval: 5, pace: 0, patience: 20, step: 10, noticed: 100, still: 50, silent: 300 };

test('a guest that answers is left alone', async (t) => {
  const { guest, pings, told } = await watch(t, { answers: () => true });
  await until('some heartbeats', () => pings() > 5);
  t.is(guest.record.state, 'running');
  t.deepEqual(told, []);
});

test('of many guests each is asked less often; those that have stopped are none of them', async (t) => {
  const many = await watch(t, { answers: () => true, pace: 10_000, others: ['running', 'unreachable'] });
  const alone = await watch(t, { answers: () => true, pace: 10_000, others: ['stopped', 'stopped'] });
  await until('some heartbeats', () => alone.pings() > 5);
  t.is(many.pings(), 0);
});

test('while as many as may be asked at a time are silent, no other is', async (t) => {
  const asking = semaphore(1);
  const silent = await watch(t, { answers: () => false, cpuTime: () => 7n, asking });
  await until('the question', () => silent.pings() > 0);
  const other = await watch(t, { answers: () => true, asking });
  await until('it to be noticed', () => silent.told.length === 1);
  t.is(other.pings(), 0);
  await until('its end', () => silent.told.length === 2);
  await until('some heartbeats', () => other.pings() > 5);
});

test('one that is silent and whose processors stand still is noticed, then ended', async (t) => {
  const { told, destroyed, commands } = await watch(t, { answers: () => false, cpuTime: () => 7n });
  await until('its end', () => told.length === 2);
  t.deepEqual(
    told.map(({ state }) => state),
    ['unreachable', 'stopped'],
  );
  t.regex(told[1]?.reason ?? '', /^it froze: no answer and no processor time used for /);
  t.is(destroyed(), 1);
  t.deepEqual(commands, ['{"execute":"inject-nmi"}'], 'it is asked for its last words');
});

test('one that is silent and busy gets more time', async (t) => {
  let time = 0n;
  const { told } = await watch(t, { answers: () => false, cpuTime: () => (time += 1n) });
  await until('its end', () => told.length === 2);
  t.regex(told[1]?.reason ?? '', /^it hung: its agent did not answer for /);
});

test('one that answers late runs on', async (t) => {
  let heard: GuestRecord[] = [];
  const { told, destroyed } = await watch(t, { answers: () => heard.length > 0, cpuTime: () => 7n });
  heard = told;
  await until('it to be heard again', () => told.length === 2);
  t.deepEqual(
    told.map(({ state }) => state),
    ['unreachable', 'running'],
  );
  t.is(destroyed(), 0);
});

test('one that somebody paused is not looked at', async (t) => {
  const { guest, destroyed, pings } = await watch(t, { answers: () => false, cpuTime: () => 7n });
  guest.record = { ...guest.record, state: 'paused' };
  const before = pings();
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.true(pings() <= before + 2);
  t.is(destroyed(), 0);
});

test('without libvirt nothing is ended', async (t) => {
  const away = () => {
    throw new Error('libvirt is away');
  };
  const { told, guest } = await watch(t, { answers: () => false, cpuTime: away, destroy: away });
  await until('it to be noticed', () => told.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.is(guest.record.state, 'unreachable');
});

interface Fakes {
  answers: () => boolean;
  cpuTime?: () => bigint;
  destroy?: () => void;
  pace?: number;
  asking?: Host['asking'];
  /** States of other guests of the host. */
  others?: GuestRecord['state'][];
}

/** A guest that is no machine, watched with limits of milliseconds. */
async function watch(
  t: ExecutionContext,
  { answers, cpuTime, destroy, pace = 0, asking = semaphore(1), others = [] }: Fakes,
) {
  const folder = await mkdtemp(`${tmpdir()}/nest-heartbeat-`);
  const told: GuestRecord[] = [];
  const commands: string[] = [];
  let pings = 0;
  let destroyed = 0;
  const libvirt = {
    uri: 'qemu:///session',
    urgent: {
      cpuTime: async () => Promise.resolve(cpuTime?.()),
      destroy: async () => {
        destroy?.();
        destroyed += 1;
        return Promise.resolve();
      },
    },
    monitorCommand: (_domain: string, command: string) => Promise.resolve(void commands.push(command)),
  } as unknown as Libvirt;
  const trunk = {
    connected: true,
    close: () => undefined,
    async ping(signal: AbortSignal) {
      pings += 1;
      while (!signal.aborted && !answers()) await new Promise((resolve) => setTimeout(resolve, 2));
      return !signal.aborted;
    },
  } as unknown as Trunk;
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: folder });
  const instance = 'a'.repeat(32);
  const host = { paths, libvirt, instance, asking, heartbeat: { ...LIMITS, pace } } as unknown as Host;
  host.guests = new Map(others.map((state, at) => [String(at), { record: { state } } as Guest]));
  host.changed = (record) => told.push(record);
  const record = { id: '0123456789ab', name: 'web-1', state: 'running', accelerator: 'kvm', reason: null };
  const guest = { record: record as GuestRecord, trunk, ended: new AbortController() } as Guest;
  const watching = watchHeart(host, guest);
  t.teardown(async () => {
    guest.ended.abort();
    await watching;
    await rm(folder, { recursive: true });
  });
  return { guest, told, commands, pings: () => pings, destroyed: () => destroyed };
}
