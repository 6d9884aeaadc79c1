import { NestError } from '../errors.ts';
import { request } from './http.ts';

/** True when an engine answers; throws when the socket is there but not for this user. */
export async function answers(socketPath: string): Promise<boolean> {
  try {
    await ping(socketPath);
    return true;
  } catch (error) {
    if (error instanceof NestError && error.code === 'engine-unavailable') return false;
    throw error;
  }
}

/** Throws `engine-unavailable` when no engine answers. */
export async function ping(socketPath: string): Promise<void> {
  (await request(socketPath, { method: 'GET', path: '/_ping' })).resume();
}
