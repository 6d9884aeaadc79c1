import type { Duplex } from 'node:stream';
import ssh2, { type Client } from 'ssh2';

/** What is needed to log in to one guest, in OpenSSH's formats. */
export interface SshAccess {
  privateKey: string;
  /** What the guest's sshd shows that it is the guest. */
  hostKey: string;
}

/** Why there is no SSH connection, in one line. */
export class SshFailure extends Error {}

/**
 * Logs in over `socket` as root, to a guest that has the host key that it was given and to no other.
 *
 * @throws SshFailure
 */
export async function logIn(socket: Duplex, access: SshAccess, signal?: AbortSignal): Promise<Client> {
  const pinned = publicKey(access.hostKey);
  const client = new ssh2.Client();
  const ready = Promise.withResolvers<undefined>();
  const host = { isStranger: false };
  client.once('ready', () => ready.resolve(undefined));
  // All of them: one that nobody listens to ends the process.
  client.on('error', (error) => ready.reject(error));
  client.once('close', () => ready.reject(new Error('it closed the connection')));
  const cancel = () => ready.reject(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    client.connect({
      sock: socket,
      username: 'root',
      privateKey: access.privateKey,
      hostVerifier: (key: Buffer) => {
        host.isStranger = !key.equals(pinned);
        return !host.isStranger;
      },
      readyTimeout: HANDSHAKE_MS,
      keepaliveInterval: KEEPALIVE_MS,
    });
    await ready.promise;
    return client;
  } catch (error) {
    client.destroy();
    socket.destroy();
    throw new SshFailure(host.isStranger ? STRANGER : explain(error), { cause: error });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function publicKey(text: string): Buffer {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key.getPublicSSH();
}

function explain(error: unknown): string {
  const { level, message } = error as Error & { level?: string };
  if (level === 'client-authentication') return 'it does not take the key that cloud-init should have given it';
  return level === 'client-timeout' ? 'its sshd does not answer' : message;
}

const STRANGER = 'it does not have the host key that cloud-init should have given it';
/** Milliseconds: an emulated guest on a busy host takes seconds for each key. */
const HANDSHAKE_MS = 30_000;
const KEEPALIVE_MS = 15_000;
