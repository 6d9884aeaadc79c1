import type { HealthCheck, HealthReport } from '../../../guest-agent/api.ts';
import type { Context } from '../context.ts';
import type { Container, PortBinding } from '../state/record.ts';
import { settingsJson } from './settings-json.ts';
import { dockerState, statusText } from './container-status.ts';
import { containerNetworks, networkMode, networkSettings } from './network-json.ts';
import { hostLimits } from './limits.ts';
import { binds, mountPoints } from './volume-json.ts';
import { logConfig } from './log-config.ts';

/** An entry of GET /containers/json. */
export function containerSummary(ctx: Context, container: Container): Record<string, unknown> {
  const { record, state } = container;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image.reference,
    ImageID: record.image.id,
    Command: record.spec.argv.join(' '),
    Created: Math.floor(record.createdAt / 1000),
    Ports: summaryPorts(container),
    Labels: record.labels,
    State: dockerState(ctx, container),
    Status: statusText(ctx, container, Date.now()),
    HostConfig: { NetworkMode: networkMode(ctx, container) },
    NetworkSettings: { Networks: containerNetworks(ctx, container) },
    Mounts: mountPoints(ctx, container),
    Nest: nestPart(ctx, container),
    ...(state.oomKilled && { OOMKilled: true }),
  };
}

/** GET /containers/{id}/json. */
export function containerDetails(
  ctx: Context,
  container: Container,
  health: HealthReport | null = null,
): Record<string, unknown> {
  const { record, bindings } = container;
  const { spec } = record;
  return {
    Id: record.id,
    Created: rfc3339(record.createdAt),
    Path: spec.argv[0],
    Args: spec.argv.slice(1),
    State: { ...stateDetails(ctx, container), ...(health && { Health: healthDetails(health) }) },
    Image: record.image.id,
    Name: `/${record.name}`,
    RestartCount: container.state.restarts,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfig(ctx, container),
    Mounts: mountPoints(ctx, container),
    Config: {
      Hostname: spec.hostname,
      Domainname: spec.domainname ?? '',
      User: spec.user,
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ExposedPorts: Object.fromEntries(record.exposed.map((port) => [port, {}])),
      Tty: spec.terminal !== undefined,
      OpenStdin: spec.stdin,
      StdinOnce: false,
      Env: spec.env,
      Cmd: record.command,
      Image: record.image.reference,
      Volumes: null,
      WorkingDir: spec.cwd,
      Entrypoint: record.entrypoint,
      OnBuild: null,
      Labels: record.labels,
      StopSignal: spec.stopSignal,
      StopTimeout: spec.stopSeconds,
      ...(spec.health && { Healthcheck: healthConfig(spec.health) }),
    },
    NetworkSettings: networkSettings(ctx, container, portMap(record.exposed, bindings)),
    Nest: nestPart(ctx, container),
  };
}

/** What is not Docker's: where the container runs, and why there. */
function nestPart(ctx: Context, { guest, record }: Container): Record<string, unknown> {
  const name = guest === null ? undefined : ctx.link.current()?.get(guest)?.name;
  return { Zone: record.zone, Guest: name ?? guest ?? '', Reason: record.reason };
}

/** Docker's State.Health. */
function healthDetails({ status, failingStreak, log }: HealthReport): Record<string, unknown> {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: rfc3339(start),
      End: rfc3339(end),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function healthConfig({ argv, interval, timeout, retries, startPeriod, startInterval }: HealthCheck) {
  return {
    Test: ['CMD', ...argv],
    Interval: interval * 1e6,
    Timeout: timeout * 1e6,
    Retries: retries,
    StartPeriod: startPeriod * 1e6,
    StartInterval: startInterval * 1e6,
  };
}

function stateDetails(ctx: Context, container: Container): Record<string, unknown> {
  const { state, lost } = container;
  const status = dockerState(ctx, container);
  return {
    Status: status,
    Running: status === 'running' || status === 'restarting' || status === 'paused',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: lost ?? state.error,
    StartedAt: rfc3339(state.startedAt),
    FinishedAt: rfc3339(state.finishedAt),
  };
}

function hostConfig(ctx: Context, container: Container): Record<string, unknown> {
  const { record } = container;
  const { limits, restart, lookup } = record.spec;
  const asked = record.publish.map((port) => ({
    ...port,
    hostPort: port.hostPort === 0 ? ('' as const) : port.hostPort,
  }));
  return {
    ...hostLimits(limits),
    NetworkMode: networkMode(ctx, container),
    Dns: lookup?.servers ?? [],
    DnsSearch: lookup?.search ?? [],
    DnsOptions: lookup?.options ?? [],
    ExtraHosts: lookup?.hosts.map(({ name, address }) => `${name}:${address}`) ?? null,
    AutoRemove: record.autoRemove,
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries },
    PortBindings: portMap([], asked),
    LogConfig: logConfig(record.spec.log),
    Binds: binds(ctx, container),
    Privileged: false,
    ...settingsJson(record.spec),
  };
}

function portMap(
  exposed: string[],
  bindings: { containerPort: number; hostIp: string; hostPort: number | '' }[],
): Record<string, { HostIp: string; HostPort: string }[] | null> {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = Object.fromEntries(
    exposed.map((port) => [port, null]),
  );
  for (const { containerPort, hostIp, hostPort } of bindings)
    (map[`${containerPort}/tcp`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  return map;
}

function summaryPorts({ record, bindings }: Container): Record<string, unknown>[] {
  const published = bindings.map(({ containerPort, hostIp, hostPort }: PortBinding) => ({
    IP: hostIp,
    PrivatePort: containerPort,
    PublicPort: hostPort,
    Type: 'tcp',
  }));
  const open = new Set(bindings.map(({ containerPort }) => `${containerPort}/tcp`));
  const exposed = record.exposed
    .filter((port) => !open.has(port))
    .map((port) => ({ PrivatePort: Number.parseInt(port), Type: port.split('/')[1] ?? 'tcp' }));
  return [...published, ...exposed];
}

/** 0 is Go's zero time, as Docker shows what never happened. */
function rfc3339(milliseconds: number): string {
  return milliseconds === 0 ? '0001-01-01T00:00:00Z' : new Date(Math.min(milliseconds, LATEST)).toISOString();
}

/** Milliseconds: the last second of year 9999. A guest may claim any time, and a Date does not hold every one. */
const LATEST = 253_402_300_799_000;
