/** Volumes in guests: a disk each, plugged while a container uses it. */
import { chown } from 'node:fs/promises';
import * as v from 'valibot';
import { VolumeId, VolumeReply } from '../../guest-agent/api.ts';
import { pluggedDisks } from '../libvirt/description.ts';
import { volumeDiskXml } from '../libvirt/domain-xml.ts';
import type { Guest, Host } from './host.ts';
import { inTurn, plugDisk } from './plug.ts';
import { domainName } from './record.ts';

export interface AttachedVolume {
  id: string;
  /** QEMU has it open for reading only. */
  readOnly: boolean;
}

/** Plugs the volume's disk and has the agent mount it. One that is there already, in either way, stays as it is. */
export async function attachVolume(host: Host, guest: Guest, volume: AttachedVolume & { file: string }): Promise<void> {
  // Another libvirt may have had it before, whose QEMU is another user.
  if (host.owner) await chown(volume.file, host.owner.uid, host.owner.gid);
  if (await plugAndMount(host, guest, volume)) return;
  // Its last guest ended without unmounting it, or it is new: only who may write can make it whole.
  await detachVolume(host, guest, volume.id);
  await plugAndMount(host, guest, { ...volume, readOnly: false });
  await detachVolume(host, guest, volume.id);
  await plugAndMount(host, guest, volume);
}

async function plugAndMount(host: Host, guest: Guest, { id, file, readOnly }: AttachedVolume & { file: string }) {
  await plugDisk(host, guest, id, (unit) => volumeDiskXml({ file, serial: id, unit, readOnly }));
  const request = { method: 'PUT' as const, path: `/v1/volumes/${id}`, body: { readOnly } };
  return (await guest.trunk.request(request, VolumeReply)).mounted;
}

/**
 * Has the agent write and unmount it, then unplugs it. Absent is success.
 *
 * @throws NestError `conflict` while a container runs with it.
 */
export function detachVolume(host: Host, guest: Guest, id: string): Promise<void> {
  return inTurn(guest, async () => {
    const domain = domainName(host.instance, guest.record.id);
    const disk = pluggedDisks(await host.libvirt.describe(domain)).find(({ serial }) => serial === id);
    if (disk === undefined) return;
    const signal = AbortSignal.timeout(UNMOUNT_MILLISECONDS);
    await guest.trunk.send({ method: 'DELETE', path: `/v1/volumes/${id}`, signal });
    await host.libvirt.detachDevice(domain, volumeDiskXml(disk));
  });
}

/** Those whose disks a guest has; none of one that has ended. */
export async function attachedVolumes(host: Host, { record }: Guest): Promise<AttachedVolume[]> {
  if (record.state === 'stopped') return [];
  const disks = pluggedDisks(await host.libvirt.describe(domainName(host.instance, record.id)));
  return disks.flatMap(({ serial, readOnly }) => (v.is(VolumeId, serial) ? [{ id: serial, readOnly }] : []));
}

/** What an emulated guest may have to write first takes a while. */
const UNMOUNT_MILLISECONDS = 60_000;
