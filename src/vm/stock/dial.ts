import { once } from 'node:events';
import net from 'node:net';
import { NestError } from '../../errors.ts';
import { SSH_NETWORK } from '../../libvirt/domain-xml.ts';
import type { Guest, Host } from '../host.ts';
import { monitor } from '../monitor.ts';

/**
 * A connection to the sshd of a stock guest, which has no way to this host: QEMU listens for it on a port of 127.0.0.1 that
 * the kernel chooses, for the moment in which it is made. It is there before the guest has answered.
 *
 * @throws NestError `libvirt`, `guest-lost`
 */
export function dialSshd(host: Host, guest: Guest, signal?: AbortSignal): Promise<net.Socket> {
  // One after another: QEMU's list does not tell whose a port is.
  const dialled = guest.dialling.then(() => dial(host, guest.record.domain, signal));
  guest.dialling = dialled.catch(() => undefined);
  return dialled;
}

async function dial(host: Host, domain: string, signal?: AbortSignal): Promise<net.Socket> {
  signal?.throwIfAborted();
  const { id, guest } = SSH_NETWORK;
  const command = (line: string) => monitor(host.libvirt, domain, 'human-monitor-command', { 'command-line': line });
  const listening = async () => listeningPort(String(await command('info usernet')));
  // An engine that was killed may have left one.
  let port = await listening();
  if (port === undefined) {
    const refusal = await command(`hostfwd_add ${id} tcp:127.0.0.1:0-${guest}:22`);
    port = await listening();
    if (port === undefined)
      throw new NestError('guest-lost', `connect to domain \`${domain}\`: QEMU does not listen: ${String(refusal)}`);
  }
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  // It may be reset at any time, also before somebody uses it; its end is the news.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', signal ? { signal } : {});
  } catch (error) {
    socket.destroy();
    throw new NestError('guest-lost', `connect to domain \`${domain}\`: ${String(error)}`, { cause: error });
  } finally {
    await command(`hostfwd_remove ${id} tcp:127.0.0.1:${port}`);
  }
  if (!socket.destroyed) return socket;
  throw new NestError('guest-lost', `connect to domain \`${domain}\`: its sshd does not listen`);
}

/** Of a table of connections: `TCP[HOST_FORWARD]  12       127.0.0.1 45051       10.0.2.15    22     0     0`. */
export function listeningPort(table: string): number | undefined {
  const port = /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s/m.exec(table)?.[1];
  return port === undefined ? undefined : Number(port);
}
