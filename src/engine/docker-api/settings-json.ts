import { CAPABILITIES, DEFAULT_CAPABILITIES } from '../../../guest-agent/api.ts';
import { storageOptions } from './storage-options.ts';
import type { ContainerRecord } from '../state/record.ts';

/** The part of HostConfig that settings.ts reads, as GET /containers/{id}/json shows it. */
export function settingsJson(spec: ContainerRecord['spec']): Record<string, unknown> {
  const { security = {} } = spec;
  const capabilities = security.capabilities ?? DEFAULT_CAPABILITIES;
  const none = (names: string[]) => (names.length === 0 ? null : names.map((name) => `CAP_${name}`));
  return {
    CapAdd: none(capabilities.filter((name) => !DEFAULT_CAPABILITIES.includes(name))),
    CapDrop: none(CAPABILITIES.filter((name) => DEFAULT_CAPABILITIES.includes(name) && !capabilities.includes(name))),
    SecurityOpt: [
      ...(security.noNewPrivileges === false ? ['no-new-privileges=false'] : []),
      ...(security.seccomp === undefined ? [] : [`seccomp=${security.seccomp}`]),
    ],
    ReadonlyRootfs: security.readonlyRoot ?? false,
    Tmpfs: Object.fromEntries((spec.tmpfs ?? []).map(({ destination, options }) => [destination, options.join(',')])),
    Ulimits: (spec.rlimits ?? []).map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Sysctls: spec.sysctls ?? {},
    Init: spec.init ?? false,
    ShmSize: spec.shmSize ?? 64 * 1024 * 1024,
    Devices: (spec.devices ?? []).map(({ source, destination, access }) => ({
      PathOnHost: source,
      PathInContainer: destination,
      CgroupPermissions: access,
    })),
    GroupAdd: spec.groups ?? null,
    OomScoreAdj: spec.oomScoreAdj ?? 0,
    StorageOpt: storageOptions(spec.storageLimit),
  };
}
