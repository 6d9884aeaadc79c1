import type { ContainerCreateOptions } from 'dockerode';
import { LABELS } from '../api.ts';
import { NestError } from '../errors.ts';
import type { HostSettings } from './container-settings.ts';
import { parsePort, parseRestart, toMap } from './docker-values.ts';
import type { mountSettings } from './mounts.ts';
import type { NetworkPart } from './network-request.ts';
import type { Healthcheck } from './health-check.ts';

/** What `nest run` asks for, as its flags say it. */
export interface RunOptions {
  image: string;
  command: string[];
  zone: string;
  /** Of its guest: "small", "2x1536m"; undefined where any will do. */
  shape?: string | undefined;
  /** What its guest boots. */
  guestImage?: string | undefined;
  name?: string | undefined;
  environment: string[];
  labels: string[];
  publish: string[];
  /** Fields of HostConfig: see host-limits.ts. */
  limits: Record<string, number | string>;
  workingDirectory?: string | undefined;
  user?: string | undefined;
  hostname?: string | undefined;
  domainname?: string | undefined;
  entrypoint?: string | undefined;
  stopSignal?: string | undefined;
  health?: Healthcheck | undefined;
  logDriver?: string | undefined;
  /** `max-size=10m` */
  logOptions: string[];
  restart: string;
  interactive: boolean;
  detach: boolean;
  remove: boolean;
  tty: boolean;
  settings: HostSettings;
  mounts: ReturnType<typeof mountSettings>;
  networking: NetworkPart;
}

/** The body of Docker's ContainerCreate; throws `invalid-input` for a value that Docker would not take. */
export function containerRequest(options: RunOptions): ContainerCreateOptions {
  const restart = parseRestart(options.restart);
  if (options.remove && restart.Name !== 'no')
    throw new NestError('invalid-input', '--rm and --restart contradict each other', { hint: 'Leave one out.' });
  const ports = options.publish.map(parsePort);
  return {
    Image: options.image,
    ...(options.name !== undefined && { name: options.name }),
    ...(options.command.length > 0 && { Cmd: options.command }),
    ...(options.entrypoint !== undefined && { Entrypoint: options.entrypoint === '' ? [''] : [options.entrypoint] }),
    ...(options.workingDirectory !== undefined && { WorkingDir: options.workingDirectory }),
    ...(options.user !== undefined && { User: options.user }),
    ...(options.hostname !== undefined && { Hostname: options.hostname }),
    ...(options.stopSignal !== undefined && { StopSignal: options.stopSignal }),
    ...(options.health !== undefined && { Healthcheck: options.health }),
    Env: options.environment,
    Labels: {
      ...toMap(options.labels),
      [LABELS.zone]: options.zone,
      ...(options.shape !== undefined && { [LABELS.shape]: options.shape }),
      ...(options.guestImage !== undefined && { [LABELS.guestImage]: options.guestImage }),
    },
    AttachStdin: options.interactive && !options.detach,
    AttachStdout: !options.detach,
    AttachStderr: !options.detach,
    OpenStdin: options.interactive,
    StdinOnce: options.interactive && !options.detach,
    ExposedPorts: Object.fromEntries(ports.map(({ container }) => [container, {}])),
    Tty: options.tty,
    ...(options.domainname !== undefined && { Domainname: options.domainname }),
    ...options.mounts.body,
    ...(options.networking.NetworkingConfig && { NetworkingConfig: options.networking.NetworkingConfig }),
    HostConfig: {
      ...options.settings,
      ...options.mounts.host,
      ...options.networking.host,
      AutoRemove: options.remove,
      RestartPolicy: restart,
      PortBindings: Object.fromEntries(
        Object.entries(Object.groupBy(ports, ({ container }) => container)).map(([container, bound]) => [
          container,
          (bound ?? []).map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort })),
        ]),
      ),
      ...options.limits,
      ...((options.logDriver !== undefined || options.logOptions.length > 0) && {
        LogConfig: { Type: options.logDriver ?? 'json-file', Config: toMap(options.logOptions) },
      }),
    },
  };
}
