import { constants } from 'node:os';
import { conflict, errnoOf, invalid } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Container } from './container.ts';

/** Number of a signal name, e.g. SIGTERM or SIGRTMIN+3 (as systemd wants to be stopped): signal(7). */
export function signalNumber(name: string): number {
  const plain = (constants.signals as Record<string, number>)[name];
  if (plain !== undefined) return plain;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime !== null) {
    const [, base, sign, distance = '0'] = realTime;
    const number = (base === 'MIN' ? SIGRTMIN : SIGRTMAX) + Number(`${sign ?? '+'}${distance}`);
    if (number >= SIGRTMIN && number <= SIGRTMAX) return number;
  }
  throw invalid(`find signal \`${name}\`: there is none of this name`);
}

/** False when the process has just ended. */
export async function signalContainer(runtime: Runtime, container: Container, signal: number): Promise<boolean> {
  try {
    await runtime.zygote.signal(container.spec.id, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Throws when the process has ended. The zygote is the only one that reaps it, so what was looked up by its process id
 * before a successful check belongs to this process, not to a later one with the same number.
 */
export async function checkRunning(runtime: Runtime, container: Container): Promise<void> {
  if (!(await signalContainer(runtime, container, 0)))
    throw conflict(`use container \`${container.spec.id}\`: it is not running`);
}

/** As programs linked with glibc see them: the first two real-time signals are its own. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;
