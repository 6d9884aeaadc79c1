import type { RestartPolicy } from '../../guest-agent/api.ts';

/** What a Compose file asks for, checked and with every default filled in. */
export interface Project {
  name: string;
  /** Zone of the services that name none. */
  zone: string;
  /** In the file's order. */
  services: Service[];
}

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
  restart: RestartPolicy;
  health: HealthCheck | null;
  /** Options of the json-file driver: max-size, max-file. */
  log: Record<string, string> | null;
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
