import { setTimeout as sleep } from 'node:timers/promises';
import { words } from './registry-words.ts';
import { ToolFailed } from './tool.ts';

/**
 * Repeats what failed because of the network or a busy registry. skopeo itself repeats nothing but 429, and that only at
 * some requests.
 *
 * @param transient words of errors that may be different the next time
 */
export async function retried<T>(
  work: () => Promise<T>,
  {
    transient,
    detail,
    signal,
  }: { transient: RegExp; detail: (text: string) => void; signal?: AbortSignal | undefined },
): Promise<T> {
  for (const delay of DELAYS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ToolFailed) || !transient.test(error.stderr)) throw error;
      detail(`again in ${delay / 1000} s: ${error.message.slice(-80)}`);
      await sleep(delay, undefined, { ...(signal && { signal }) });
    }
  }
  return work();
}

/** A registry that answers, and not well. */
export const UNWELL = words(
  /unexpected EOF|connection reset|broken pipe|i\/o timeout|TLS handshake timeout|too ?many ?requests|server error/,
  '429|5\\d\\d',
);

/**
 * The same, for a registry that has answered before: that nobody listens, or that a login is refused, is then a matter of
 * its restart, or of a token that has expired.
 */
export const UNWELL_MEANWHILE = new RegExp(`${UNWELL.source}|connection refused|unauthorized|EOF`, 'i');

const DELAYS = [500, 2000];
