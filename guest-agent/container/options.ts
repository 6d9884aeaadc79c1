import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RLIMITS, type ContainerSpec, type VolumeMount } from '../api.ts';
import { invalid } from '../errors.ts';
import { containerFolders } from '../folders.ts';
import { OWN } from '../namespaces.ts';
import { etcMounts } from '../network/etc-files.ts';
import { etcFolder, type Joined } from '../network/joined.ts';
import type { Cable } from '../network/wiring.ts';
import { type Device, numbersOf } from '../rootfs/devices.ts';
import { bindMount, type Mount } from '../rootfs/mount.ts';
import { parseOptions } from '../rootfs/mount-options.ts';
import { VOLUME_FILES } from '../rootfs/volume.ts';
import { capabilityMask } from '../security/capability-names.ts';
import { SANDBOX } from '../security/defaults.ts';
import { sysctlPath } from '../security/sysctl.ts';
import { CLONE_NEWNET, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY } from '../sys/constants.ts';
import type { Runtime } from '../runtime.ts';
import type { Volumes } from '../volumes.ts';
import { copyContent } from './copies.ts';
import type { ContainerOptions, ProcessOptions, Sandbox } from '../zygote/protocol.ts';

/** What this container has and most have not: what is left out costs nothing. */
export function containerOptions(
  spec: ContainerSpec,
  runtime: Pick<Runtime, 'folders' | 'volumes' | 'containers'>,
): ContainerOptions & ProcessOptions {
  const { folders, volumes: mounted } = runtime;
  const { tmpfs, volumes, copies, init, devices, sysctls, security, domainname } = spec;
  const mounts = [
    ...namesMounts(spec, runtime),
    ...(tmpfs ?? []).map(tmpfsMount),
    ...(volumes ?? []).map((volume) => volumeMount(volume, mounted)),
    ...(copies ?? []).map(({ destination, readOnly }, index) =>
      bindMount(copyContent(folders, spec.id, index), destination, attributesOf(readOnly)),
    ),
  ].sort(byDepth);
  if (init === true) mounts.push(INIT_MOUNT);
  return {
    ...processOptions(spec),
    ...(domainname !== undefined && { domainname }),
    ...(mounts.length > 0 && { mounts }),
    ...(devices?.length && { devices: devices.map(({ source, destination }) => deviceLike(source, destination)) }),
    ...(sysctls && { sysctls: Object.entries(sysctls).map(([name, value]) => [sysctlPath(name), value]) }),
    ...(security?.readonlyRoot === true && { readonlyRoot: true }),
  };
}

/** A further process has them as well. */
export function processOptions({ rlimits, oomScoreAdj }: ContainerSpec): ProcessOptions {
  return {
    ...(rlimits?.length && {
      rlimits: rlimits.map(({ name, soft, hard }) => ({ resource: RLIMITS.indexOf(name), soft, hard })),
    }),
    // Not the zygote's, which it has before.
    oomScoreAdj: oomScoreAdj ?? 0,
  };
}

/** An ordinary container's is the one that processes wait with, ready made. */
export const sandboxOf = (
  { shmSize, security, network }: ContainerSpec,
  cable: Cable | null,
  joined: Joined | undefined,
): Sandbox => ({
  ...SANDBOX,
  cable,
  ...((joined !== undefined || network?.mode === 'host') && {
    namespaces: { own: OWN & ~CLONE_NEWNET, joined: joined ? [{ at: joined.path, type: CLONE_NEWNET }] : [] },
  }),
  ...(shmSize !== undefined && { staged: { shmSize } }),
  ...(security?.capabilities && { capabilities: capabilityMask(security.capabilities) }),
});

/** The command with a small init before it: tini(1), which hands it signals and reaps what orphans leave. */
export const commandOf = ({ argv, init }: ContainerSpec) => (init === true ? [INIT_PATH, '--', ...argv] : argv);

/** Another container's files count to that one's storage limit, or to none: one that has a limit cannot write to them. */
function namesMounts(spec: ContainerSpec, runtime: Pick<Runtime, 'folders' | 'containers'>): Mount[] {
  const { id, network, security, storageLimit } = spec;
  if (network === undefined) return [];
  const folder = etcFolder(runtime, spec);
  const isAnothers = folder !== containerFolders(runtime.folders, id).etc;
  return etcMounts(folder, security?.readonlyRoot === true || (storageLimit !== undefined && isAnothers));
}

/** As Docker has it: nothing runs from it, or gains rights by it, unless asked. */
function tmpfsMount({ destination, options }: NonNullable<ContainerSpec['tmpfs']>[number]): Mount {
  const { bind, idMap, ...parsed } = parseOptions(['noexec', 'nosuid', 'nodev', ...options]);
  if (bind || idMap !== 'none') throw invalid(`mount tmpfs on \`${destination}\`: bind and idmap are of no tmpfs`);
  return { ...parsed, destination, type: 'tmpfs', source: 'tmpfs' };
}

/** What it is writable by: the volume's own mount may be read-only besides. */
function volumeMount({ volume, destination, readOnly }: VolumeMount, mounted: Volumes): Mount {
  return bindMount(join(mounted.folder(volume), VOLUME_FILES), destination, attributesOf(readOnly));
}

const attributesOf = (readOnly: boolean | undefined) => MOUNT_ATTR_NODEV | (readOnly === true ? MOUNT_ATTR_RDONLY : 0);

/** One that is mounted inside another comes after it. */
function byDepth(a: Mount, b: Mount): number {
  const depth = ({ destination }: Mount) => destination.split('/').filter((name) => name !== '').length;
  return depth(a) - depth(b);
}

/** A device file that is like the guest's. */
function deviceLike(source: string, destination: string): Device {
  const status = statSync(source, { throwIfNoEntry: false });
  if (status === undefined || !(status.isCharacterDevice() || status.isBlockDevice()))
    throw invalid(`give device \`${source}\`: the guest has no such device`);
  const { major, minor } = numbersOf(status.rdev);
  return {
    path: destination,
    type: status.isBlockDevice() ? 'b' : 'c',
    ...{ major, minor, mode: status.mode & 0o777, uid: status.uid, gid: status.gid },
  };
}

const INIT_PATH = '/sbin/docker-init';
/** Debian's tini-static, in the guest image. */
const INIT_MOUNT = bindMount(
  '/usr/bin/tini-static',
  INIT_PATH,
  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
);
