import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { NestError } from '../errors.ts';

/**
 * Starts an engine, or finds that another one serves this host. One that holds the lock but does not answer is about to
 * answer or about to end: that is waited for.
 *
 * @returns undefined when another one answers.
 * @throws NestError `conflict` when it does neither, and what `start` throws.
 */
export async function startOrJoin<T>(
  socketPath: string,
  start: () => Promise<T>,
  waitMilliseconds = WAIT_MILLISECONDS,
): Promise<T | undefined> {
  const deadline = Date.now() + waitMilliseconds;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof NestError) || error.code !== 'conflict') throw error;
      if (await answers(socketPath)) return undefined;
      if (Date.now() > deadline) throw error;
      // Waits for a lock of another process, which nothing announces.
      await delay(POLL_MILLISECONDS);
    }
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const WAIT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 50;
