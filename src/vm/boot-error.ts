import { NestError } from '../errors.ts';
import { consoleTail } from './console.ts';
import type { Guest, Host } from './host.ts';

/** Why a guest did not come up, with its console's last words: call it before the console is deleted. */
export async function bootError(
  host: Host,
  guest: Pick<Guest, 'record' | 'ended'>,
  error: unknown,
  { limit, signal }: { limit: number; signal: AbortSignal | undefined },
): Promise<NestError> {
  if (signal?.aborted) return new NestError('cancelled', 'cancelled', { cause: error });
  const what = `boot guest \`${guest.record.name}\``;
  if (guest.ended.signal.aborted)
    return new NestError('boot-failed', `${what}: its virtual machine ended before the agent answered`, {
      hint: `${await lastWords(host, guest)}See what this host lacks with nest doctor; build the guest image anew with nest guest-image build --force.`,
      cause: error,
    });
  // The agent came and went, or never came; what was asked of it is cancelled when the time is over.
  if (!(error instanceof NestError) || error.code === 'guest-lost' || error.code === 'cancelled')
    return new NestError('boot-failed', `${what}: its agent did not answer within ${limit / 1000} s`, {
      hint: `${await lastWords(host, guest)}Where the host is busy try again; otherwise build the guest image anew with nest guest-image build --force.`,
      cause: error,
    });
  if (error.code === 'libvirt' && /cannot allocate memory/i.test(error.message))
    return new NestError('no-room', `${what}: the host has no memory for ${guest.record.shape.memory} bytes`, {
      hint: 'End guests that are not needed (nest vm list), or ask for less memory.',
      cause: error,
    });
  if (error.code === 'libvirt')
    return new NestError('boot-failed', `${what}: ${error.message}`, {
      hint: 'See what this host lacks with nest doctor.',
      cause: error,
    });
  return error;
}

/** The console's last lines, for a hint. */
export async function lastWords(host: Host, guest: Pick<Guest, 'record'>): Promise<string> {
  const text = await consoleTail(host.paths, guest.record.id, LINES);
  // A guest's words on somebody's terminal: lines of visible characters.
  const lines = text.split('\n').map((line) => line.replace(UNSEEN, '').slice(0, WIDTH));
  const said = lines.filter((line) => line.trim() !== '').map((line) => `  ${line}\n`);
  return said.length === 0 ? 'Its console says nothing. ' : `Its console's last lines:\n${said.join('')}`;
}

/** Control characters, and what terminals take for colours. */
const UNSEEN = /\p{Cc}\[[0-9;]*m|\p{Cc}|\p{Cf}/gu;
const LINES = 15;
const WIDTH = 200;
