import { setTimeout as delay } from 'node:timers/promises';
import { NestError } from '../errors.ts';
import { nestPaths, type Paths } from '../paths.ts';
import { engineClient } from './engine-client.ts';
import { answers } from './ping.ts';

/** Ends the engine and returns when its socket is silent; false when none ran. */
export async function stopEngine(signal: AbortSignal, paths: Paths = nestPaths()): Promise<boolean> {
  if (!(await answers(paths.engineSocket))) return false;
  await engineClient(paths.engineSocket).stop();
  const deadline = Date.now() + TIME_LIMIT;
  while (await answers(paths.engineSocket)) {
    if (Date.now() > deadline)
      throw new NestError('internal', `stop the engine: it still answers after ${TIME_LIMIT / 1000} s`, {
        hint: `Its log: ${paths.engineLog}`,
      });
    // Waits for the engine to close its socket: it is no child of this process.
    await delay(POLL_INTERVAL, undefined, { signal });
  }
  return true;
}

const TIME_LIMIT = 30_000;
const POLL_INTERVAL = 25;
