import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentInfo, ContainerState, type ContainerSpec } from '../guest-agent/api.ts';
import { openLibvirt } from '../src/libvirt/libvirt.ts';
import { silent } from '../src/progress.ts';
import { hostMemoryAvailable } from '../src/vm/host-memory.ts';
import type { GuestRecord, Guests } from '../src/vm/guests.ts';
import { qemuPid } from '../src/vm/qemu-pid.ts';
import { atLeast, atMost, type Bench } from './frame/bench.ts';
import { busyboxLayer } from './frame/busybox-layer.ts';
import { openBenchHost } from './frame/guests.ts';
import { median } from './frame/statistics.ts';
import { containerSpec } from './guest/agent-requests.ts';

/**
 * As many guests as fit, each with one container that sleeps; `--runs N` ends at N. Then all must answer, and nothing may be
 * left of them.
 */
export const bench: Bench = {
  summary: 'guests with an answering agent and one container each, until 1 GB of memory is left',
  runs: 1000,
  async measure({ runs, report }) {
    report('building the guest image');
    await using host = await openBenchHost();
    const layer = { diffId: `sha256:${'b5'.repeat(32)}`, path: await busyboxLayer(host.paths.data) };
    const make = async (guests: Guests, name: string): Promise<GuestRecord> => {
      const request = { zone: name, name: `${name}-1`, shape: SHAPE, accelerator: host.accelerator };
      const guest = await guests.create(request, silent);
      await guests.attachLayer(guest.id, layer);
      const trunk = guests.trunk(guest.id);
      await trunk.request({ method: 'POST', path: '/v1/containers', body: container(layer.diffId) }, ContainerState);
      await trunk.request({ method: 'POST', path: `/v1/containers/${ID}/start` }, ContainerState);
      return guest;
    };
    const held = async (guests: Guests, { id }: GuestRecord) => ((await guests.hostUsage(id))?.held ?? NaN) / MIB;

    report('booting a guest to compare with');
    const cold = await host.open({ templates: false });
    const booted = await make(cold, 'booted');
    const bootedMib = await held(cold, booted);
    await cold.remove(booted.id);

    const guests = await host.open();
    // It makes the template.
    const made = [await make(guests, 'dense0')];
    const starts: number[] = [];
    let begun = made.length;
    const begin = performance.now();
    // One that cannot be made is where it ends.
    const failures: unknown[] = [];
    const lane = async () => {
      while (begun < runs && failures.length === 0 && (await hostMemoryAvailable()) > LEFT) {
        const started = performance.now();
        try {
          made.push(await make(guests, `dense${begun++}`));
        } catch (error) {
          failures.push(error);
          return;
        }
        starts.push(performance.now() - started);
        if (made.length % 10 === 0)
          report(`${made.length} guests, ${Math.round((await hostMemoryAvailable()) / MIB)} MiB left`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (const failure of failures) report(String(failure));
    const perSecond = starts.length / ((performance.now() - begin) / 1000);
    report(`${made.length} guests; measuring`);
    const memory = await Promise.all(made.map((guest) => held(guests, guest)));
    const idle = await idleCores(made);
    const answering = await countAnswering(guests, made);
    report(`${answering} of ${made.length} answer; removing`);
    // All at once: where init reaps processes late, each removal would wait for it.
    for (const { domain } of made) await endQemu(domain, host.uri);
    for (const { id } of guests.list()) await guests.remove(id);
    const left = await leftOver(host.paths.guests, host.paths.runtime, host.uri, made);
    return {
      goals: [
        atMost(0.2, {
          id: 'clone-memory',
          what: 'memory (PSS), clone ÷ booted',
          value: median(memory.slice(1)) / bootedMib,
        }),
        atLeast(300, { id: 'guests', what: 'guests with an answering agent', value: answering }),
        atLeast(1, { id: 'answer', what: 'guests that answer ÷ guests', value: answering / made.length }),
        atMost(0, { id: 'traces', what: 'domains, folders and sockets left', value: left }),
      ],
      samples: {
        'clone with container ms': starts,
        'guest MiB': memory,
        'booted guest MiB': [bootedMib],
        'guests per s': [perSecond],
        'idle cores, all': [idle],
      },
      setting: {
        accelerator: host.accelerator,
        guests: made.length,
        guest: `${SHAPE.vcpus} × ${SHAPE.memory / MIB} MiB`,
      },
    };
  },
};

function container(diffId: string): ContainerSpec {
  const spec = containerSpec(['/bin/sleep', '1000000']);
  return { ...spec, id: ID, layers: [diffId], stopSignal: 'SIGKILL', stopSeconds: 0 };
}

/** One that has ended by itself counts as one that does not answer, and is no failure here. */
async function endQemu(domain: string, uri: string): Promise<void> {
  await qemuPid(domain, uri)
    .then((pid) => process.kill(pid))
    .catch(() => undefined);
}

/** Cores that all guests together keep busy with nothing to do. */
async function idleCores(guests: GuestRecord[]): Promise<number> {
  const libvirt = await openLibvirt(process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session');
  const total = async () => {
    let nanoseconds = 0n;
    for (const { domain } of guests) nanoseconds += (await libvirt.cpuTime(domain)) ?? 0n;
    return Number(nanoseconds) / 1e9;
  };
  try {
    await delay(SETTLE_MS);
    const [before, begin] = [await total(), performance.now()];
    await delay(IDLE_MS);
    return ((await total()) - before) / ((performance.now() - begin) / 1000);
  } finally {
    await libvirt.close();
  }
}

async function countAnswering(guests: Guests, made: GuestRecord[]): Promise<number> {
  let answering = 0;
  for (const { id, bootId } of made) {
    const info = await guests
      .trunk(id)
      .request({ method: 'GET', path: '/v1/info' }, AgentInfo)
      .catch(() => undefined);
    if (info?.bootId === bootId) answering += 1;
  }
  return answering;
}

async function leftOver(folder: string, runtime: string, uri: string, made: GuestRecord[]): Promise<number> {
  const libvirt = await openLibvirt(uri);
  try {
    const ours = new Set(made.map(({ domain }) => domain));
    const domains = (await libvirt.list()).filter(({ name }) => ours.has(name));
    return domains.length + (await readdir(folder)).length + (await readdir(runtime)).length;
  } finally {
    await libvirt.close();
  }
}

const MIB = 2 ** 20;
const LEFT = 1e9;
/** So many are made at a time. */
const LANES = 2;
const ID = 'd'.repeat(64);
/** The small shape. */
const SHAPE = { vcpus: 1, memory: 512 * MIB };
const SETTLE_MS = 5_000;
const IDLE_MS = 20_000;
