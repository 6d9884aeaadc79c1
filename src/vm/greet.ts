import { randomBytes } from 'node:crypto';
import { AgentInfo, type Identity } from '../../guest-agent/api.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { update, type Guest, type Host } from './host.ts';
import type { GuestRecord } from './record.ts';

/**
 * Waits for the agent and tells it who its guest is, as must be done after each boot and clone: until then the agent runs
 * nothing. Telling an agent again that knows is harmless.
 */
export async function greet(host: Host, guest: Guest, signal: AbortSignal): Promise<void> {
  await connected(guest.trunk, signal);
  const sent = performance.now();
  const body = identityOf(guest.record);
  const info = await guest.trunk.request({ method: 'PUT', path: '/v1/identity', body, signal }, AgentInfo);
  if (performance.now() - sent > CLOCK_TOLERANCE_MS) await setClock(guest.trunk, signal);
  update(host, guest, { bootId: info.bootId, kernel: info.kernel });
}

/**
 * Sets the guest's clock to this host's. It lags behind by the time that the request takes, so one that took long is
 * repeated, now that its way through the guest is warm.
 */
export async function setClock(trunk: Trunk, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; attempt < CLOCK_ATTEMPTS; attempt++) {
    const sent = performance.now();
    await trunk.send({ method: 'PUT', path: '/v1/clock', body: { now: Date.now() }, signal });
    if (performance.now() - sent <= CLOCK_TOLERANCE_MS) return;
  }
}

/** Resolves when the agent answers on the trunk. */
export function connected(trunk: Trunk, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = (): void => reject(signal.reason as Error);
  trunk.onChange((now) => {
    if (now) resolve(undefined);
  });
  if (trunk.connected) resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

function identityOf({ name, uuid }: GuestRecord): Identity {
  return {
    // Linux takes 64 bytes, sethostname(2).
    hostname: name.slice(0, 64),
    machineId: uuid.replaceAll('-', ''),
    entropy: randomBytes(64).toString('base64'),
    now: Date.now(),
  };
}

/** Milliseconds by which a guest's clock may be wrong, at most. */
const CLOCK_TOLERANCE_MS = 50;
/** On a host with more to do than processors, most take too long. */
const CLOCK_ATTEMPTS = 20;
