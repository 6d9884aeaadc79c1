import type { Settings } from './model.ts';

/** Fields of Docker's create body. */
export interface BodySettings {
  Tty?: boolean;
  OpenStdin?: boolean;
  Domainname?: string;
}

/** Fields of its HostConfig. */
export interface HostSettings {
  ReadonlyRootfs?: boolean;
  Init?: boolean;
  CapAdd?: string[];
  CapDrop?: string[];
  SecurityOpt?: string[];
  Tmpfs?: Record<string, string>;
  Ulimits?: { Name: string; Soft: number; Hard: number }[];
  Sysctls?: Record<string, string>;
  ShmSize?: number;
  OomScoreAdj?: number;
  StorageOpt?: { size: string };
  GroupAdd?: string[];
  Dns?: string[];
  DnsSearch?: string[];
  DnsOptions?: string[];
  ExtraHosts?: string[];
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[];
}

export function bodySettings({ tty, stdin, domainname }: Settings): BodySettings {
  return {
    ...(tty && { Tty: true }),
    ...(stdin && { OpenStdin: true }),
    ...(domainname !== undefined && { Domainname: domainname }),
  };
}

/** What the file does not ask for is left out: a service that has none of it keeps its configuration's digest. */
export function hostSettings(settings: Settings): HostSettings {
  const { readonlyRoot, init, capabilitiesAdded, capabilitiesDropped, securityOptions, groups } = settings;
  const { tmpfs, ulimits, sysctls, shmSize, oomScoreAdj, storageLimit, devices } = settings;
  const { dns, dnsSearch, dnsOptions, extraHosts } = settings;
  return {
    ...(readonlyRoot && { ReadonlyRootfs: true }),
    ...(init && { Init: true }),
    ...(capabilitiesAdded && { CapAdd: capabilitiesAdded }),
    ...(capabilitiesDropped && { CapDrop: capabilitiesDropped }),
    ...(securityOptions && { SecurityOpt: securityOptions }),
    ...(tmpfs && { Tmpfs: tmpfs }),
    ...(ulimits && { Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })) }),
    ...(sysctls && { Sysctls: sysctls }),
    ...(shmSize !== undefined && { ShmSize: shmSize }),
    ...(oomScoreAdj !== undefined && { OomScoreAdj: oomScoreAdj }),
    ...(storageLimit !== undefined && { StorageOpt: { size: String(storageLimit) } }),
    ...(groups && { GroupAdd: groups }),
    ...(dns && { Dns: dns }),
    ...(dnsSearch && { DnsSearch: dnsSearch }),
    ...(dnsOptions && { DnsOptions: dnsOptions }),
    ...(extraHosts && { ExtraHosts: extraHosts }),
    ...(devices && {
      Devices: devices.map(({ source, path, access }) => ({
        PathOnHost: source,
        PathInContainer: path,
        CgroupPermissions: access,
      })),
    }),
  };
}
