import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client, SFTPWrapper, TransferOptions } from 'ssh2';
import { NestError } from '../../errors.ts';
import type { BootFiles } from '../../guest-image/guest-image.ts';
import { projectRoot } from '../../guest-image/project-root.ts';
import type { Progress } from '../../progress.ts';
import { logIn, SshFailure } from '../../ssh/log-in.ts';
import { lastWords } from '../boot-error.ts';
import type { Guest, Host } from '../host.ts';
import { dialSshd } from './dial.ts';
import { sshAccess } from './keys.ts';

/**
 * Brings the agent into a stock guest that has just booted, with all that it needs: the root file system of nest's own image,
 * which has Node, koffi and the programs that it runs, and the agent part. systemd runs it from then on, at each boot.
 *
 * @throws NestError `boot-failed` with the console's last lines
 */
export async function deployAgent(
  host: Host,
  guest: Guest,
  { boot, progress, signal }: { boot: BootFiles; progress: Progress; signal: AbortSignal },
): Promise<void> {
  const { name } = guest.record;
  const client = await progress.step(`Wait for sshd of guest ${name}`, () => reach(host, guest, signal));
  const close = () => client.destroy();
  signal.addEventListener('abort', close, { once: true });
  try {
    await progress.step(`Deploy agent to guest ${name}`, async (detail) => {
      await upload(client, boot, detail);
      await command(client, START);
    });
  } catch (error) {
    if (guest.ended.signal.aborted || !(error instanceof Error)) throw error;
    const why = signal.aborted ? 'it took too long' : error.message;
    throw await failure(host, guest, `deploy agent: ${why}`, error);
  } finally {
    signal.removeEventListener('abort', close);
    client.end();
  }
}

/** Tries again and again while the guest boots. */
async function reach(host: Host, guest: Guest, signal: AbortSignal): Promise<Client> {
  const access = await sshAccess(host.paths, guest.record);
  let why = 'its sshd does not answer';
  const note = (error: unknown) => {
    if (error instanceof SshFailure) why = signal.aborted ? why : error.message;
    else if (!(error instanceof NestError)) throw error;
    return undefined;
  };
  while (!signal.aborted) {
    const socket = await dialSshd(host, guest, signal).catch(note);
    const client = socket && (await logIn(socket, access, signal).catch(note));
    if (client) return client;
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  throw await failure(host, guest, why, signal.reason);
}

async function upload(client: Client, boot: BootFiles, detail: (text: string) => void): Promise<void> {
  const service = path.join(projectRoot(), 'guest-agent/service');
  await command(client, `mkdir -p ${FOLDER}`);
  const sftp = await promisify<SFTPWrapper>((done) => client.sftp((error, sftp) => done(error ?? null, sftp)))();
  const put = (from: string, to: string, options: TransferOptions = {}) =>
    promisify((done: (error?: Error | null) => void) => sftp.fastPut(from, to, options, done))();
  let shown = '';
  const step = (total: number, _chunk: number, size: number) => {
    const now = `${Math.round((100 * total) / size)} %`;
    if (now !== shown) detail((shown = now));
  };
  await put(boot.root, `${FOLDER}/root.squashfs`, { step });
  await put(boot.agent, `${FOLDER}/agent.squashfs`);
  await put(path.join(service, 'start'), `${FOLDER}/start`);
  await put(path.join(service, 'nest.service'), '/etc/systemd/system/nest.service');
  sftp.end();
}

/** Runs a shell command. @throws Error with its last words when it fails */
async function command(client: Client, line: string): Promise<void> {
  const channel = await promisify((done: Parameters<Client['exec']>[1]) => client.exec(line, done))();
  const ended: { code?: number | null } = {};
  channel.once('exit', (code: number | null) => (ended.code = code));
  let complaint = '';
  const stderr = channel.stderr.setEncoding('utf8');
  stderr.on('data', (more: string) => (complaint = (complaint + more).slice(-COMPLAINT)));
  channel.resume();
  await once(channel, 'close');
  if (ended.code === 0) return;
  const words = complaint.replace(/\p{Cc}|\p{Cf}/gu, ' ').trim();
  throw new Error(words || `\`${line.slice(0, 60)}\` failed`);
}

/** With what is on the console now: it goes with the guest. */
async function failure(host: Host, guest: Guest, why: string, cause: unknown): Promise<unknown> {
  if (guest.ended.signal.aborted) return cause;
  const { name, stock } = guest.record;
  return new NestError('boot-failed', `boot guest \`${name}\` from \`${stock}\`: ${why}`, {
    hint: `${await lastWords(host, guest)}A stock image needs systemd, sshd and cloud-init, and a kernel with overlayfs, squashfs and virtio.`,
    cause,
  });
}

const FOLDER = '/opt/nest';

/** The agent's socket is where the service's own mounts are. */
const START = `set -e
systemctl daemon-reload
systemctl enable --quiet --now nest.service
until test -S /proc/$(systemctl show -p MainPID --value nest.service)/root/run/nest/agent.sock; do
  systemctl --quiet is-active nest.service || { journalctl -u nest.service -n 5 -o cat --no-pager >&2; exit 1; }
  sleep 0.5
done`;

/** Milliseconds. */
const PAUSE_MS = 1_000;
/** Characters. */
const COMPLAINT = 500;
