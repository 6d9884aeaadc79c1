import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { VolumeId } from '../../guest-agent/api.ts';
import { NestError } from '../errors.ts';
import { pluggedDisks } from '../libvirt/description.ts';
import { layerDiskXml } from '../libvirt/domain-xml.ts';
import { guestPaths } from '../paths.ts';
import { greet } from './greet.ts';
import { follow, letGo, update, type Guest, type Host } from './host.ts';
import { monitor } from './monitor.ts';
import { domainName } from './record.ts';

/** A guest as it was at one moment: memory, devices and disks, kept in its qcow2 (QMP snapshot-save). */
export type Snapshot = v.InferOutput<typeof Snapshot>;

/** Takes a snapshot; the guest stands still meanwhile. One of the same name is replaced. */
export async function takeSnapshot(host: Host, guest: Guest, name: string): Promise<Snapshot> {
  mustRun(guest, 'take a snapshot of');
  await mustHaveNoVolumes(host, guest, 'take a snapshot of');
  const { bootId } = guest.record;
  const all = await readSnapshots(host, guest);
  const kept = all.filter((each) => each.name !== name && each.bootId === bootId);
  // First the list: what is in the disk without being listed is only space, and replaced by the next of its name.
  await keep(host, guest, kept);
  for (const tag of new Set([name, ...all.map((each) => each.name)]))
    if (!kept.some((each) => each.name === tag)) await job(host, guest, 'snapshot-delete', tag);
  const layers = pluggedDisks(await host.libvirt.describe(domainName(host.instance, guest.record.id)));
  await job(host, guest, 'snapshot-save', name);
  const snapshot = { name, createdAt: Date.now(), bootId, layers: layers.map(({ serial }) => serial) };
  await keep(host, guest, [...kept, snapshot]);
  return snapshot;
}

/**
 * Makes the guest what it was. Its containers are then those of that moment; the agent is told the time and gets new
 * entropy. Should QEMU fail on the way, the guest stands still, and is ended like one that froze.
 *
 * @throws NestError `not-found`
 */
export async function restoreSnapshot(host: Host, guest: Guest, name: string): Promise<void> {
  mustRun(guest, 'restore');
  await mustHaveNoVolumes(host, guest, 'restore');
  const snapshot = await findSnapshot(host, guest, name);
  const domain = domainName(host.instance, guest.record.id);
  const present = pluggedDisks(await host.libvirt.describe(domain));
  // The agent's end of the trunk becomes that of another session: this one ends first.
  letGo(guest);
  try {
    await job(host, guest, 'snapshot-load', name);
    // The kernel of that moment does not know later layers: they are plugged in anew when they are wanted.
    for (const disk of present)
      if (!snapshot.layers.includes(disk.serial)) await host.libvirt.detachDevice(domain, layerDiskXml(disk));
  } finally {
    const again = follow(host, { ...guest.record, state: 'starting' });
    const limit = AbortSignal.any([again.ended.signal, AbortSignal.timeout(GREET_MILLISECONDS)]);
    await greet(host, again, limit).catch((error: unknown) =>
      host.log(`greet guest \`${guest.record.name}\`: ${String(error)}`),
    );
    if (again.record.state === 'starting')
      update(host, again, { state: again.trunk.connected ? 'running' : 'unreachable' });
  }
}

/** Oldest first. Those from before the guest was booted anew fit no QEMU that runs: they count no more. */
export async function listSnapshots(host: Host, guest: Guest): Promise<Snapshot[]> {
  return (await readSnapshots(host, guest)).filter(({ bootId }) => bootId === guest.record.bootId);
}

async function readSnapshots(host: Host, guest: Guest): Promise<Snapshot[]> {
  const { snapshots } = guestPaths(host.paths, guest.record.id);
  try {
    return v.parse(v.array(Snapshot), JSON.parse(await readFile(snapshots, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Absent is success. */
export async function deleteSnapshot(host: Host, guest: Guest, name: string): Promise<void> {
  const all = await listSnapshots(host, guest);
  if (!all.some((each) => each.name === name)) return;
  mustRun(guest, 'delete a snapshot of');
  await job(host, guest, 'snapshot-delete', name);
  await keep(
    host,
    guest,
    all.filter((each) => each.name !== name),
  );
}

async function findSnapshot(host: Host, guest: Guest, name: string): Promise<Snapshot> {
  const found = (await listSnapshots(host, guest)).find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new NestError('not-found', `guest \`${guest.record.name}\` has no snapshot \`${name}\``, {
    hint: `See them with nest vm snapshot list ${guest.record.name}`,
  });
}

/** Written aside and renamed. */
async function keep(host: Host, guest: Guest, snapshots: Snapshot[]): Promise<void> {
  const file = guestPaths(host.paths, guest.record.id).snapshots;
  await writeFile(`${file}.new`, JSON.stringify(snapshots), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function mustRun({ record: { state, name } }: Guest, operation: string): void {
  if (state === 'running') return;
  throw new NestError('conflict', `${operation} guest \`${name}\`: it is ${state}`, {
    hint: `nest vm ${state === 'paused' ? 'resume' : 'start'} ${name}`,
  });
}

/** A volume does not go back with the guest, whose kernel would then write what it remembers of another time. */
async function mustHaveNoVolumes(host: Host, { record }: Guest, operation: string): Promise<void> {
  const disks = pluggedDisks(await host.libvirt.describe(domainName(host.instance, record.id)));
  if (!disks.some(({ serial }) => v.is(VolumeId, serial))) return;
  throw new NestError('conflict', `${operation} guest \`${record.name}\`: it has volumes, which no snapshot holds`, {
    hint: 'Stop the containers that use them first: nest ps, nest stop',
  });
}

/** Runs one of QEMU's snapshot jobs on the guest's own disk to its end. */
async function job(host: Host, guest: Guest, command: string, tag: string): Promise<void> {
  const domain = domainName(host.instance, guest.record.id);
  const { disk, system } = guestPaths(host.paths, guest.record.id);
  const nodes = v.parse(Nodes, await monitor(host.libvirt, domain, 'query-named-block-nodes', { flat: true }));
  const own = nodes.filter(({ drv, file }) => drv === 'qcow2' && (file === disk || file === system));
  const node = own.find(({ file }) => file === disk)?.['node-name'];
  if (node === undefined) throw new Error(`QEMU has no disk \`${disk}\``);
  const id = `nest-${command}`;
  const where = command === 'snapshot-delete' ? {} : { vmstate: node };
  await monitor(host.libvirt, domain, command, {
    'job-id': id,
    tag,
    ...where,
    devices: own.map((each) => each['node-name']),
  });
  for (;;) {
    const jobs = v.parse(Jobs, await monitor(host.libvirt, domain, 'query-jobs'));
    const found = jobs.find((each) => each.id === id);
    if (found?.status === 'concluded') {
      await monitor(host.libvirt, domain, 'job-dismiss', { id });
      if (found.error === undefined) return;
      throw new NestError('libvirt', `${command} \`${tag}\` of guest \`${guest.record.name}\`: ${found.error}`);
    }
    // libvirt passes on no event for jobs that it did not begin.
    await delay(POLL_MILLISECONDS);
  }
}

export const Snapshot = v.object({
  name: v.string(),
  /** Milliseconds since 1970. */
  createdAt: v.number(),
  bootId: v.nullable(v.string()),
  /** Serials of the layer disks that the guest had. */
  layers: v.array(v.string()),
});
const Nodes = v.array(v.object({ 'node-name': v.string(), drv: v.string(), file: v.string() }));
const Jobs = v.array(v.object({ id: v.string(), status: v.string(), error: v.optional(v.string()) }));
const POLL_MILLISECONDS = 50;
const GREET_MILLISECONDS = 30_000;
