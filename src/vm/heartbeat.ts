import { setTimeout as delay } from 'node:timers/promises';
import { stopped, update, type Guest, type Host } from './host.ts';
import { qemuPid } from './qemu-pid.ts';
import { domainName } from './record.ts';
import { readWaits, starvedFor, type Waits } from './starvation.ts';

/**
 * Milliseconds. Silence is counted in steps, not by the clock: a host that slept has heard nothing either. Of a step only
 * that counts in which this host had a processor for the guest.
 */
export interface HeartbeatLimits {
  /** Between an answer and the next question, and how long its answer may take. */
  interval: number;
  patience: number;
  /** Between questions to any two guests, on average: many guests are each asked less often. */
  pace: number;
  /** Then it is looked at so often. */
  step: number;
  /** Silence after which a guest counts as unreachable. One whose QEMU does nothing at all counts so after one step. */
  noticed: number;
  /** Silence after which it is ended, while its QEMU does nothing, and while it is busy with something. */
  still: number;
  silent: number;
}

/**
 * Asks the agent again and again whether it is there, until the guest ends. One that is silent for too long is ended: no
 * container in it can be reached, and others can take its place.
 *
 * A slow guest is not a dead one. What tells them apart is the processor time of its QEMU: a question in the trunk wakes
 * the guest, so one that is silent and uses none is frozen.
 */
export async function watchHeart(host: Host, guest: Guest): Promise<void> {
  const ended = guest.ended.signal;
  const { interval, pace } = limitsOf(host, guest);
  while (!ended.aborted) {
    const watched = host.guests.values().filter(isWatched).toArray().length;
    await pause(Math.max(interval, pace * watched), ended);
    await host.asking(() => ask(host, guest));
  }
}

async function ask(host: Host, guest: Guest): Promise<void> {
  if (!isWatched(guest)) return;
  const { patience } = limitsOf(host, guest);
  if (await guest.trunk.ping(AbortSignal.any([guest.ended.signal, AbortSignal.timeout(patience)]))) return;
  const verdict = await sitBy(host, guest);
  if (verdict !== undefined) await end(host, guest, verdict);
  else if (isWatched(guest) && guest.trunk.connected) update(host, guest, { state: 'running' });
}

/** Waits for the overdue answer. @returns why the guest is to be ended, undefined when it answered after all */
async function sitBy(host: Host, guest: Guest): Promise<string | undefined> {
  const limits = limitsOf(host, guest);
  const leave = new AbortController();
  const answered = guest.trunk.ping(AbortSignal.any([guest.ended.signal, leave.signal]));
  try {
    let pulse = await pulseOf(host, guest);
    let waits = await waitsOf(host, guest);
    let still = 0;
    for (let silent = limits.patience; ;) {
      await Promise.race([answered, pause(limits.step, guest.ended.signal)]);
      if (guest.trunk.connected && (await isSettled(answered))) return undefined;
      if (!isWatched(guest) || guest.ended.signal.aborted) return undefined;
      const waited = await waitsOf(host, guest);
      const step = Math.max(0, limits.step - starvedFor(waits, waited));
      waits = waited;
      silent += step;
      const next = await pulseOf(host, guest);
      still = next !== undefined && next === pulse && guest.trunk.connected ? still + step : 0;
      pulse = next;
      if (still > 0 || silent >= limits.noticed) update(host, guest, { state: 'unreachable' });
      if (still >= limits.still) return `it froze: no answer and no processor time used for ${seconds(still)}`;
      if (silent >= limits.silent) return `it hung: its agent did not answer for ${seconds(silent)}`;
    }
  } finally {
    leave.abort();
  }
}

/** Where the kernel still takes interrupts it says on the console what it was doing, and panics (unknown_nmi_panic). */
async function end(host: Host, guest: Guest, verdict: string): Promise<void> {
  const domain = domainName(host.instance, guest.record.id);
  const { step } = limitsOf(host, guest);
  const told = host.libvirt.monitorCommand(domain, '{"execute":"inject-nmi"}').catch(() => undefined);
  await Promise.race([told.then(() => pause(step, guest.ended.signal)), pause(step, guest.ended.signal)]);
  try {
    await host.libvirt.urgent.destroy(domain);
    stopped(host, guest, verdict);
  } catch (error) {
    // Without libvirt nothing can be ended: the next round tries again.
    process.emitWarning(error as Error);
  }
}

/** Processor time that QEMU has used; undefined where nobody can tell. */
async function pulseOf(host: Host, guest: Guest): Promise<bigint | undefined> {
  return host.libvirt.urgent.cpuTime(domainName(host.instance, guest.record.id)).catch(() => undefined);
}

async function waitsOf(host: Host, guest: Guest): Promise<Waits> {
  const pid = await qemuPid(domainName(host.instance, guest.record.id), host.libvirt.uri).catch(() => undefined);
  return pid === undefined ? new Map() : readWaits(pid);
}

function isWatched({ record: { state } }: Guest): boolean {
  return state === 'running' || state === 'unreachable';
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const not = Symbol();
  return (await Promise.race([promise, Promise.resolve(not)])) !== not;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}

function limitsOf(host: Host, guest: Guest): HeartbeatLimits {
  return { ...LIMITS[guest.record.accelerator], ...host.heartbeat };
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}

const COMMON = { interval: 2_000, patience: 1_000, step: 1_500, still: 7_500 };
/**
 * Guests that are asked at a time. Where the host has more to do than processors, answers are late: were the next guests
 * asked meanwhile, all would have to answer at once, and none could.
 */
export const ASKED_AT_ONCE = 16;

/**
 * An emulated guest on a busy host may take its time; an answer takes it some milliseconds of processor time, which for
 * hundreds of guests would keep the host busy with nothing.
 */
const LIMITS: Record<'kvm' | 'tcg', HeartbeatLimits> = {
  kvm: { ...COMMON, pace: 2, noticed: 2_500, silent: 20_500 },
  tcg: { ...COMMON, pace: 40, noticed: 16_000, silent: 61_000 },
};
