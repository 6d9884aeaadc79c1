import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  MS_PRIVATE,
  MS_REC,
} from '../sys/constants.ts';
import type { Device } from '../rootfs/devices.ts';
import { propagationOf } from '../rootfs/mount-options.ts';
import type { Mount } from '../rootfs/mount.ts';
import { sysctlPath } from '../security/sysctl.ts';
import type { ContainerInit } from '../zygote/protocol.ts';
import type { Config, NamespaceType, Process } from './config.ts';
import { rootOf } from './mounts.ts';
import { processInit } from './process.ts';

/**
 * What a configuration is to `initContainer`: the same as one of the agent's own containers.
 *
 * @param mounts those of the configuration, detached where that must be done beforehand
 */
export function containerInit(
  config: Config & { process: Process },
  bundle: string,
  mounts: Mount[],
  options: { noPivot: boolean },
): Omit<ContainerInit, 'stdio' | 'cgroup'> {
  const { linux, process } = config;
  const common = processInit(process, linux?.seccomp);
  const own = ownNamespaces(config);
  return {
    ...common,
    sandbox: {
      namespaces: {
        // The kernel makes these with the process itself.
        own: own & ~(CLONE_NEWPID | CLONE_NEWUSER),
        joined: joinedNamespaces(config).filter(({ type }) => type !== CLONE_NEWPID && type !== CLONE_NEWUSER),
      },
      cable: null,
      staged: null,
      capabilities: common.capabilities.bounding,
      maskedPaths: linux?.maskedPaths ?? [],
      readonlyPaths: linux?.readonlyPaths ?? [],
    },
    hostname: config.hostname || null,
    plugs: [],
    rootfs: {
      root: rootOf(config, bundle),
      propagation: propagationOf(linux?.rootfsPropagation ?? '') ?? MS_PRIVATE | MS_REC,
      noPivot: options.noPivot,
    },
    options: {
      ...common.options,
      ...(config.domainname && { domainname: config.domainname }),
      mounts,
      devices: (linux?.devices ?? []).map(deviceOf),
      defaultDevices: mounts.some(({ destination, type }) => isDev(destination) && type === 'tmpfs'),
      ...(config.root.readonly === true && { readonlyRoot: true }),
      ...(linux?.sysctl && { sysctls: Object.entries(linux.sysctl).map(([name, value]) => [sysctlPath(name), value]) }),
      ...(linux?.personality && { personality: linux.personality.domain === 'LINUX32' ? 8 : 0 }),
    },
  };
}

/** CLONE_NEW* that the container has for itself. */
export const ownNamespaces = ({ linux }: Config): number =>
  (linux?.namespaces ?? []).reduce((flags, { type, path }) => (path ? flags : flags | NAMESPACES[type]), 0);

/** Those that exist, the user namespace first: in it are the rights to join the others. */
export const joinedNamespaces = ({ linux }: Config): { at: string; type: number }[] =>
  (linux?.namespaces ?? [])
    .flatMap(({ type, path }) => (path ? [{ at: path, type: NAMESPACES[type] }] : []))
    .toSorted(({ type: one }, { type: other }) => Number(other === CLONE_NEWUSER) - Number(one === CLONE_NEWUSER));

function deviceOf(device: NonNullable<NonNullable<Config['linux']>['devices']>[number]): Device {
  return {
    path: device.path,
    type: device.type,
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    mode: device.fileMode ?? 0o666,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  };
}

const isDev = (destination: string) => destination.replace(/\/+$/, '') === '/dev';

/** Lines for /proc/PID/timens_offsets, which shift the clocks of a new time namespace: time_namespaces(7). */
export const timeOffsets = ({ linux }: Config) =>
  (['monotonic', 'boottime'] as const)
    .flatMap((clock) => {
      const offset = linux?.timeOffsets?.[clock];
      return offset ? [`${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`] : [];
    })
    .join('');

const NAMESPACES: Record<NamespaceType, number> = {
  pid: CLONE_NEWPID,
  network: CLONE_NEWNET,
  mount: CLONE_NEWNS,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  user: CLONE_NEWUSER,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME,
};
