import { LABELS } from '../api.ts';
import { networksOf } from './companions.ts';
import { digestOf } from './digest.ts';
import type { Endpoint, HealthCheck, Project, PublishedPort, Service, ServiceMount, ServiceNetwork } from './model.ts';
import { bodySettings, type BodySettings, hostSettings, type HostSettings } from './settings.ts';

/** Body of `POST /containers/create?name=` (Docker Engine API), the parts that a Compose file sets. */
export interface CreateBody extends BodySettings {
  Image: string;
  Cmd: string[] | null;
  Entrypoint: string[] | null;
  Env: string[];
  Labels: Record<string, string>;
  Hostname: string;
  WorkingDir: string;
  User: string;
  ExposedPorts: Record<string, Record<string, never>>;
  /** Times in nanoseconds; 0 is left to the image. */
  Healthcheck?: {
    Test: string[];
    Interval: number;
    Timeout: number;
    Retries: number;
    StartPeriod: number;
    StartInterval: number;
  };
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number;
  HostConfig: HostSettings & {
    /** Bytes; 0 is no limit. */
    Memory: number;
    /** 10⁻⁹ cores; 0 is no limit. */
    NanoCpus: number;
    /** 0 is no limit. */
    PidsLimit: number;
    MemoryReservation?: number;
    MemorySwap?: number;
    CpuShares?: number;
    CpusetCpus?: string;
    BlkioWeight?: number;
    RestartPolicy: { Name: string; MaximumRetryCount: number };
    LogConfig?: { Type: string; Config: Record<string, string> };
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
    Mounts?: Mount[];
    /** A network's name, none, host, bridge or container:NAME. */
    NetworkMode: string;
  };
  NetworkingConfig?: { EndpointsConfig: Record<string, NetworkEndpoint> };
}

interface NetworkEndpoint {
  Aliases: string[];
  IPAMConfig?: { IPv4Address: string };
}

/** An entry of HostConfig.Mounts. */
interface Mount {
  Type: string;
  Source?: string;
  Target: string;
  ReadOnly: boolean;
  VolumeOptions?: { NoCopy: boolean };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

/** The container that a service asks for; its labels say where it belongs and which configuration made it. */
export function createBody(project: Project, service: Service): CreateBody {
  const body = bodyWithoutHash(project, service);
  return { ...body, Labels: { ...body.Labels, [LABELS.configHash]: configHash(project, service) } };
}

/**
 * Digest of all that a deploy file says of a service, hex. It holds the image's name, not its id: the plan compares
 * ids, so that "the image changed" and "the file changed" stay different reasons.
 */
export function configHash(project: Project, service: Service): string {
  const names = networksOf([service]);
  // As the networks keep them: one that is made anew has its containers made anew.
  const networks = project.networks.filter(({ name }) => names.includes(name)).map(digestOf);
  const content = { container: service.container, body: bodyWithoutHash(project, service), networks };
  return digestOf(content);
}

function bodyWithoutHash(project: Project, service: Service): CreateBody {
  return {
    Image: service.image,
    Cmd: service.command,
    Entrypoint: service.entrypoint,
    Env: Object.entries(service.environment).map(([key, value]) => `${key}=${value}`),
    Labels: {
      ...service.labels,
      [LABELS.zone]: service.zone,
      ...(service.shape !== null && { [LABELS.shape]: service.shape }),
      [LABELS.project]: project.name,
      [LABELS.service]: service.name,
    },
    Hostname: service.hostname ?? '',
    WorkingDir: service.workingDirectory ?? '',
    User: service.user ?? '',
    ExposedPorts: Object.fromEntries([...service.ports.map(portKey), ...service.exposed].map((port) => [port, {}])),
    ...(service.stopSignal === null ? {} : { StopSignal: service.stopSignal }),
    ...(service.stopSeconds === null ? {} : { StopTimeout: service.stopSeconds }),
    ...(service.health !== null && { Healthcheck: healthcheck(service.health) }),
    ...bodySettings(service.settings),
    HostConfig: {
      ...hostSettings(service.settings),
      Memory: service.memory ?? 0,
      NanoCpus: Math.round((service.cpus ?? 0) * 1e9),
      PidsLimit: service.pids ?? 0,
      ...(service.memoryReservation !== null && { MemoryReservation: service.memoryReservation }),
      ...(service.memorySwap !== null && { MemorySwap: service.memorySwap }),
      ...(service.cpuShares !== null && { CpuShares: service.cpuShares }),
      ...(service.cpuset !== null && { CpusetCpus: service.cpuset }),
      ...(service.blkioWeight !== null && { BlkioWeight: service.blkioWeight }),
      RestartPolicy: { Name: service.restart.name, MaximumRetryCount: service.restart.maximumRetries },
      ...(service.log !== null && { LogConfig: { Type: 'json-file', Config: service.log } }),
      PortBindings: portBindings(service.ports),
      ...(service.mounts.length > 0 && { Mounts: service.mounts.map(mount) }),
      NetworkMode: networkMode(service.network),
    },
    ...(service.network.mode === 'networks' && { NetworkingConfig: networking(service.network.endpoints) }),
  };
}

function networkMode(network: ServiceNetwork): string {
  if (network.mode === 'container') return `container:${network.container}`;
  return network.mode === 'networks' ? (network.endpoints[0]?.network ?? 'none') : network.mode;
}

function networking(endpoints: Endpoint[]): NonNullable<CreateBody['NetworkingConfig']> {
  const bodies = endpoints.map(({ network, aliases, address }): [string, NetworkEndpoint] => [
    network,
    { Aliases: aliases, ...(address !== null && { IPAMConfig: { IPv4Address: address } }) },
  ]);
  return { EndpointsConfig: Object.fromEntries(bodies) };
}

function healthcheck(health: HealthCheck): NonNullable<CreateBody['Healthcheck']> {
  const nanoseconds = (milliseconds: number | null) => Math.round((milliseconds ?? 0) * 1e6);
  return {
    Test: health.test,
    Interval: nanoseconds(health.interval),
    Timeout: nanoseconds(health.timeout),
    Retries: health.retries ?? 0,
    StartPeriod: nanoseconds(health.startPeriod),
    StartInterval: nanoseconds(health.startInterval),
  };
}

function portBindings(ports: PublishedPort[]): CreateBody['HostConfig']['PortBindings'] {
  const bindings: CreateBody['HostConfig']['PortBindings'] = {};
  for (const port of ports)
    (bindings[portKey(port)] ??= []).push({ HostIp: port.hostIp, HostPort: String(port.hostPort) });
  return bindings;
}

function mount(asked: ServiceMount): Mount {
  const { type, target, readOnly } = asked;
  const common = { Type: type, Target: target, ReadOnly: readOnly };
  if (asked.type === 'bind') return { ...common, Source: asked.source };
  if (asked.type === 'tmpfs') {
    const { size, mode } = asked;
    return {
      ...common,
      TmpfsOptions: { ...(size !== null && { SizeBytes: size }), ...(mode !== null && { Mode: mode }) },
    };
  }
  const { source, noCopy } = asked;
  return { ...common, ...(source !== null && { Source: source }), VolumeOptions: { NoCopy: noCopy } };
}

function portKey(port: PublishedPort): string {
  return `${port.containerPort}/${port.protocol}`;
}
