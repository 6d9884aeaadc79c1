import { chmod, chown, constants, copyFile, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Accelerator } from '../../api.ts';
import type { BootFiles } from '../../guest-image/guest-image.ts';
import { openWorkFolder } from '../../guest-image/work-folder.ts';
import { domainXml } from '../../libvirt/domain-xml.ts';
import { guestPaths } from '../../paths.ts';
import { connectTrunk } from '../../trunk/trunk.ts';
import { bootError } from '../boot-error.ts';
import { domainSpec, makeFiles } from '../domain.ts';
import { connected } from '../greet.ts';
import type { Host } from '../host.ts';
import { monitor } from '../monitor.ts';
import { newIdentity, newRecord, type GuestRecord, type GuestShape } from '../record.ts';
import { removeGuest } from '../remove.ts';
import { saveDevices } from './devices.ts';
import { storeTemplate, templateIn, type Template } from './store.ts';
import { warmUp } from './warm-up.ts';

export interface TemplateRequest {
  digest: string;
  boot: BootFiles;
  shape: GuestShape;
  accelerator: Accelerator;
}

/**
 * Boots a guest that belongs to nobody, until its agent and zygote are warm, and keeps its memory, the state of its devices
 * and its disk. A guest that is killed on the way, or an engine, leaves a domain that says `starting` and a folder that has no
 * template's name; both are removed.
 *
 * @throws NestError `boot-failed` when the guest did not come up, so that no other will
 */
export async function captureTemplate(host: Host, request: TemplateRequest, signal: AbortSignal): Promise<Template> {
  // It belongs to no zone.
  const record = newRecord({ ...newIdentity(host.instance), name: 'template', zone: '' }, request);
  host.reserved.add(record.id);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => void host.reserved.delete(record.id));
  undo.defer(() => removeGuest(host, record.id).catch(() => undefined));
  await using work = await openWorkFolder(host.paths.templates);
  const files = templateIn(work.folder, request.digest);
  if (host.owner) await chmod(work.folder, 0o711);
  await using memory = await open(files.memory, 'wx', 0o600);
  await memory.truncate(request.shape.memory);
  if (host.owner) await chown(files.memory, host.owner.uid, host.owner.gid);

  await makeFiles(host, record.id);
  const ram = { kind: 'captured', file: files.memory } as const;
  await host.libvirt.define(domainXml({ ...domainSpec(host, record, request.boot), ram }));
  await bootUntilWarm(host, record, signal);
  await untilIdle(host, record.domain, signal);
  await monitor(host.libvirt, record.domain, 'stop');
  await using devices = await open(files.devices, 'wx', 0o600);
  await saveDevices(host.libvirt, record.domain, devices, signal);
  await host.libvirt.destroy(record.domain);
  await copyFile(guestPaths(host.paths, record.id).disk, files.disk, constants.COPYFILE_FICLONE);
  await using disk = await open(files.disk);
  // A host that loses power must not find a template whose memory was never written.
  await memory.sync();
  await devices.sync();
  await disk.sync();
  return await storeTemplate(host.paths, request.digest, work.folder, host.owner);
}

async function bootUntilWarm(host: Host, record: GuestRecord, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const limit = host.bootLimit(record);
  const within = () => AbortSignal.any([ended.signal, signal, AbortSignal.timeout(limit)]);
  await host.libvirt.start(record.domain);
  const trunk = connectTrunk(guestPaths(host.paths, record.id).trunk, { refused: () => ended.abort() });
  try {
    await connected(trunk, within()).catch(async (error: unknown) => {
      throw await bootError(host, { record, ended }, error, { limit, signal });
    });
    await warmUp(trunk, within());
  } finally {
    trunk.close();
  }
}

/** What it has still to do when it is captured, each clone does again: on memory that was shared, while somebody waits. */
async function untilIdle(host: Host, domain: string, signal: AbortSignal): Promise<void> {
  let used = await host.libvirt.cpuTime(domain);
  for (let second = 0, idle = 0; second < PATIENCE && idle < IDLE_SECONDS; second++) {
    await delay(1000, undefined, { signal });
    const now = await host.libvirt.cpuTime(domain);
    idle = now !== undefined && used !== undefined && now - used < IDLE_NANOSECONDS ? idle + 1 : 0;
    used = now;
  }
}

/** The agent's last timers are due within two seconds. */
const IDLE_SECONDS = 3;
/** Of processor time in one second. */
const IDLE_NANOSECONDS = 25_000_000n;
const PATIENCE = 20;
