import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { AgentInfo, TRUNK_PORT } from '../../guest-agent/api.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import { domainXml } from '../libvirt/domain-xml.ts';
import { writeMetadata } from '../libvirt/metadata.ts';
import { guestPaths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { chooseAccelerator } from './accelerator.ts';
import { bootError } from './boot-error.ts';
import { makeDisk } from './disk.ts';
import { uriFile } from './adopt.ts';
import type { GuestRequest } from './guests.ts';
import { follow, update, type Guest, type Host } from './host.ts';
import { domainName, type GuestRecord, type StoredGuest } from './record.ts';
import { removeGuest } from './remove.ts';

/** Boots a new guest and waits for its agent. */
export async function createGuest(
  host: Host,
  request: GuestRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<GuestRecord> {
  const boot = await host.bootFiles();
  const { accelerator, warning } = await progress.step('Choose accelerator', () =>
    chooseAccelerator(host.paths, boot, request.accelerator, signal ? { signal } : {}),
  );
  if (warning !== undefined) progress.warn(warning);

  const id = randomBytes(6).toString('hex');
  const guest = follow(host, {
    id,
    name: request.name,
    zone: request.zone,
    state: 'starting',
    reason: null,
    shape: request.shape,
    accelerator,
    image: boot.digest,
    agent: boot.agentDigest,
    createdAt: Date.now(),
    bootId: null,
    kernel: null,
    domain: domainName(host.instance, id),
  });
  await using undo = new AsyncDisposableStack();
  // What cannot be removed now, because libvirt went away, says `starting` and is removed by the next adopt().
  undo.defer(() => removeGuest(host, guest.record.id).catch(() => undefined));
  const limit = (host.bootSeconds ?? BOOT_SECONDS[accelerator]) * 1000;
  try {
    signal?.throwIfAborted();
    await progress.step(`Start guest ${request.name}`, () => start(host, guest, boot));
    await progress.step(`Wait for agent of guest ${request.name}`, () =>
      greet(guest, AbortSignal.any([guest.ended.signal, AbortSignal.timeout(limit), ...(signal ? [signal] : [])])),
    );
    await writeMetadata(host.libvirt, domainName(host.instance, guest.record.id), stored(host, guest, 'running'));
    signal?.throwIfAborted();
  } catch (error) {
    throw await bootError(host, guest, error, { limit, signal });
  }
  undo.move();
  update(host, guest, { state: guest.ended.signal.aborted ? 'stopped' : 'running' });
  return guest.record;
}

/** Files first, then the domain: files without a domain are known to be left over. */
async function start(host: Host, guest: Guest, boot: BootFiles): Promise<void> {
  const { id, name, shape, accelerator } = guest.record;
  const files = guestPaths(host.paths, id);
  await mkdir(files.folder, { mode: host.owner ? 0o711 : 0o700 });
  await writeFile(uriFile(host.paths, id), host.libvirt.uri);
  await makeDisk(host.paths, files.disk, host.owner);
  const domain = domainName(host.instance, id);
  await host.libvirt.define(
    domainXml({
      name: domain,
      uuid: randomUUID(),
      accelerator,
      ...shape,
      kernel: boot.kernel,
      initrd: boot.initrd,
      // Linux takes 64 bytes of host name, sethostname(2).
      commandLine: `${boot.commandLine} nest.hostname=${name.slice(0, 64)}`,
      root: boot.root,
      agent: boot.agent,
      disk: files.disk,
      console: files.console,
      trunk: { port: TRUNK_PORT, socket: files.trunk },
      owner: host.owner,
      metadata: stored(host, guest, 'starting'),
    }),
  );
  await host.libvirt.start(domain);
}

/** Waits until the agent has said who it is. */
async function greet(guest: Guest, signal: AbortSignal): Promise<void> {
  await connected(guest, signal);
  const info = await guest.trunk.request({ method: 'GET', path: '/v1/info', signal }, AgentInfo);
  guest.record = { ...guest.record, bootId: info.bootId, kernel: info.kernel };
}

function connected(guest: Guest, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = (): void => reject(signal.reason as Error);
  guest.trunk.onChange((now) => {
    if (now) resolve(undefined);
  });
  if (guest.trunk.connected) resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

function stored(host: Host, guest: Guest, state: GuestRecord['state']): StoredGuest {
  return { instance: host.instance, guest: { ...guest.record, state } };
}

/** Seconds; many times what a boot takes, for emulation on a host that is busy. A guest that gives up ends sooner. */
const BOOT_SECONDS = { kvm: 20, tcg: 120 };
