import type { RestartPolicy } from '../../guest-agent/api.ts';

/** What a Compose file asks for, checked and with every default filled in. */
export interface Project {
  name: string;
  /** Zone of the services that name none. */
  zone: string;
  /** In the file's order. */
  services: Service[];
  volumes: ProjectVolume[];
  /** Those that services join. */
  networks: ProjectNetwork[];
}

/** Its services are in one zone and, there, in one guest. */
export interface ProjectNetwork {
  /** As the file names it; `default` for services that name none. */
  key: string;
  /** Its own name: `<project>_<key>`, or what the file says. */
  name: string;
  zone: string;
  /** It must be there. */
  external: boolean;
  /** Without a default route. */
  internal: boolean;
  /** Null for any free one. */
  subnet: string | null;
  gateway: string | null;
  labels: Record<string, string>;
}

/** A service's place in a network, by the network's own name. The service's name is among the aliases. */
export interface Endpoint {
  network: string;
  aliases: string[];
  /** Null for any free one. */
  address: string | null;
}

/** @property service the one whose container it is, null for a container that the file does not make */
export type ServiceNetwork =
  | { mode: 'networks'; endpoints: Endpoint[] }
  | { mode: 'none' | 'host' | 'bridge' }
  | { mode: 'container'; container: string; service: string | null };

/** A volume that the file defines. */
export interface ProjectVolume {
  /** As the file names it. */
  key: string;
  /** Its own name: `<project>_<key>`, or what the file says. */
  name: string;
  /** It must be there. */
  external: boolean;
  /** Null: the zone of the first container that mounts it. */
  zone: string | null;
  /** Bytes; null for the usual size. */
  size: number | null;
  labels: Record<string, string>;
}

/**
 * @property source the volume's own name, null for one that nobody names; or a path of the host, as the file has it until
 * its folder is known
 */
export type ServiceMount =
  | { type: 'volume'; source: string | null; target: string; readOnly: boolean; noCopy: boolean }
  | { type: 'bind'; source: string; target: string; readOnly: boolean }
  | { type: 'tmpfs'; target: string; readOnly: boolean; size: number | null; mode: number | null };

/** One service is one container. A null is left to the image. */
export interface Service {
  name: string;
  /** `<project>-<service>-1`, or the file's container_name. */
  container: string;
  zone: string;
  /** Of its guest; null where any will do. */
  shape: string | null;
  /** As the file names it. */
  image: string;
  command: string[] | null;
  entrypoint: string[] | null;
  environment: Record<string, string>;
  labels: Record<string, string>;
  ports: PublishedPort[];
  mounts: ServiceMount[];
  network: ServiceNetwork;
  /** "80/tcp": ports that it listens on, besides those it publishes. */
  exposed: string[];
  hostname: string | null;
  workingDirectory: string | null;
  user: string | null;
  stopSignal: string | null;
  stopSeconds: number | null;
  /** Bytes. */
  memory: number | null;
  /** Cores. */
  cpus: number | null;
  pids: number | null;
  /** Bytes that are reclaimed last; bytes of memory and swap together, -1 for no limit. */
  memoryReservation: number | null;
  memorySwap: number | null;
  /** Weight beside other containers; 1024 is usual. */
  cpuShares: number | null;
  /** Processors of the guest: "0-2,3". */
  cpuset: string | null;
  /** 10 to 1000. */
  blkioWeight: number | null;
  settings: Settings;
  restart: RestartPolicy;
  health: HealthCheck | null;
  /** Options of the json-file driver: max-size, max-file. */
  log: Record<string, string> | null;
}

/** What a container may do and has, where the file says so. */
export interface Settings {
  tty?: boolean;
  stdin?: boolean;
  readonlyRoot?: boolean;
  init?: boolean;
  /** Without CAP_; ALL. */
  capabilitiesAdded?: string[];
  capabilitiesDropped?: string[];
  securityOptions?: string[];
  /** Options by path: "size=64m,mode=1777". */
  tmpfs?: Record<string, string>;
  ulimits?: Ulimit[];
  sysctls?: Record<string, string>;
  /** Bytes. */
  shmSize?: number;
  oomScoreAdj?: number;
  /** Bytes that it may write beside its volumes. */
  storageLimit?: number;
  groups?: string[];
  devices?: { source: string; path: string; access: string }[];
  domainname?: string;
  dns?: string[];
  dnsSearch?: string[];
  dnsOptions?: string[];
  /** NAME:ADDRESS */
  extraHosts?: string[];
}

/** -1 is no limit: getrlimit(2). */
export interface Ulimit {
  name: string;
  soft: number;
  hard: number;
}

/** Null, and an empty test, are left to the image. */
export interface HealthCheck {
  /** ["CMD", …], ["CMD-SHELL", command] or ["NONE"]. */
  test: string[];
  /** Milliseconds. */
  interval: number | null;
  timeout: number | null;
  startPeriod: number | null;
  startInterval: number | null;
  retries: number | null;
}

export interface PublishedPort {
  /** Address of the host to listen on. */
  hostIp: string;
  /** 0: any free port. */
  hostPort: number;
  containerPort: number;
  protocol: 'tcp';
}
