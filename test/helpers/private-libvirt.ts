import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Surroundings } from './nest.ts';

/** A system libvirtd of the test's own: one that it may kill. */
export interface PrivateLibvirt extends Surroundings {
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts libvirtd and virtlogd in a mount namespace in which all their folders are empty and private. What runs `through`
 * it finds them as qemu:///system, and no others. Needs root.
 */
export async function privateLibvirt(): Promise<PrivateLibvirt> {
  const etc = await mkdtemp(path.join(tmpdir(), 'nest-libvirt-'));
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', HOLD, 'sh', etc], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const through = ['nsenter', `--mount=/proc/${holder.pid ?? 0}/ns/mnt`, '--'];
  const start = async (daemon: string) => {
    await promisify(execFile)('nsenter', [...through.slice(1), daemon, '-d', '-p', pidFile(daemon)]);
  };
  const end = async (daemon: string, signal: NodeJS.Signals) => {
    const pid = await readFile(`/proc/${holder.pid ?? 0}/root${pidFile(daemon)}`, 'utf8');
    process.kill(Number(pid), signal);
  };
  await start('virtlogd');
  await start('libvirtd');
  return {
    through,
    kill: () => end('libvirtd', 'SIGKILL'),
    start: () => start('libvirtd'),
    async close() {
      await end('libvirtd', 'SIGTERM');
      await end('virtlogd', 'SIGTERM');
      holder.stdin.end();
      await once(holder, 'exit');
      await rm(etc, { recursive: true });
    },
  };
}

const pidFile = (daemon: string) => `/run/libvirt/${daemon}.pid`;

/** Keeps the namespace until its standard input ends. */
const HOLD = `
cp -a /etc/libvirt/. "$1"
rm -rf "$1"/qemu/*.xml
mount --bind "$1" /etc/libvirt
for folder in /run/libvirt /var/lib/libvirt /var/cache/libvirt; do
  mount -t tmpfs -o mode=755 tmpfs $folder
done
echo ready
exec cat
`;
