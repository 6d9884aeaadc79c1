import * as v from 'valibot';
import { LABELS, type AcceleratorChoice } from '../../api.ts';
import { NestError } from '../../errors.ts';
import type { CreateRequest } from '../containers/request.ts';
import { HOST_LIMITS, limitsOf } from './limits.ts';
import { logLimits } from './log-config.ts';
import { MOUNT_FIELDS, mountsOf } from './mounts.ts';
import { networkFields, NetworkingConfig, networkWish } from './network-body.ts';
import { portRequests } from './port-bindings.ts';
import { containerSettings, settingsFields } from './settings.ts';
import { refuseUnsupported } from './unsupported.ts';

const text = v.pipe(v.string(), v.maxLength(128 * 1024), v.regex(/^[^\0]*$/));
const count = v.pipe(v.number(), v.integer());
/** Docker's clients send null, "" and 0 for what was not asked. */
const optional = <S extends v.GenericSchema>(schema: S) => v.nullish(schema);
/** A command may be a string; it is then one word. */
const words = v.union([
  v.array(text),
  v.pipe(
    text,
    v.transform((word) => [word]),
  ),
]);

export const HostRestartPolicy = v.object({ Name: optional(text), MaximumRetryCount: optional(count) });

const HostConfig = v.looseObject({
  ...HOST_LIMITS,
  AutoRemove: optional(v.boolean()),
  LogConfig: optional(v.object({ Type: optional(text), Config: optional(v.record(text, text)) })),
  RestartPolicy: optional(HostRestartPolicy),
  ...settingsFields,
  ...MOUNT_FIELDS,
  ...networkFields,
  PortBindings: optional(
    v.record(text, v.nullable(v.array(v.object({ HostIp: optional(text), HostPort: optional(text) })))),
  ),
});

const nanoseconds = v.nullish(v.pipe(v.number(), v.minValue(0)), 0);
const Healthcheck = v.object({
  Test: v.nullish(v.pipe(v.array(text), v.maxLength(4096)), []),
  Interval: nanoseconds,
  Timeout: nanoseconds,
  StartPeriod: nanoseconds,
  StartInterval: nanoseconds,
  Retries: v.nullish(v.pipe(count, v.minValue(0)), 0),
});

/** Body of POST /containers/create: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container. */
export const CreateBody = v.looseObject({
  Image: v.pipe(text, v.minLength(1)),
  Hostname: optional(text),
  User: optional(text),
  Env: optional(v.array(text)),
  Cmd: optional(words),
  Entrypoint: optional(words),
  Labels: optional(v.record(text, text)),
  WorkingDir: optional(text),
  StopSignal: optional(text),
  StopTimeout: optional(v.pipe(count, v.minValue(0))),
  OpenStdin: optional(v.boolean()),
  Tty: optional(v.boolean()),
  Domainname: optional(text),
  ExposedPorts: optional(v.record(text, v.unknown())),
  Volumes: optional(v.pipe(v.record(text, v.unknown()), v.maxEntries(64))),
  Healthcheck: optional(Healthcheck),
  HostConfig: optional(HostConfig),
  NetworkingConfig,
});
export type CreateBody = v.InferOutput<typeof CreateBody>;

/**
 * What a create body asks for. @throws NestError `unsupported` naming every field that asks for what nest does not do:
 * a security or storage option that is silently dropped is worse than an error. `invalid-input` for values.
 */
export function createRequest(
  body: CreateBody,
  name: string | null,
  accelerator: AcceleratorChoice = 'auto',
): CreateRequest {
  refuseUnsupported(body);
  const host = body.HostConfig ?? {};
  const autoRemove = host.AutoRemove ?? false;
  const restart = restartPolicy(host.RestartPolicy ?? {});
  const { volumes, copies, tmpfs } = mountsOf(host, body.Volumes);
  const settings = containerSettings(host, body);
  if (autoRemove && restart.name !== 'no')
    throw new NestError('invalid-input', "can't create 'AutoRemove' container with restart policy");
  return {
    name,
    image: body.Image,
    entrypoint: body.Entrypoint ?? null,
    command: body.Cmd ?? null,
    env: body.Env ?? [],
    workingDirectory: body.WorkingDir || null,
    user: body.User || null,
    hostname: body.Hostname || null,
    stopSignal: body.StopSignal || null,
    stopSeconds: body.StopTimeout ?? null,
    stdin: body.OpenStdin ?? false,
    labels: body.Labels ?? {},
    limits: limitsOf(host),
    settings: tmpfs.length === 0 ? settings : { ...settings, tmpfs: [...(settings.tmpfs ?? []), ...tmpfs] },
    volumes,
    copies,
    reuse: {},
    network: networkWish(host, body.NetworkingConfig),
    restart,
    log: logLimits(host.LogConfig) ?? null,
    health: body.Healthcheck ?? null,
    exposed: Object.keys(body.ExposedPorts ?? {}),
    publish: portRequests(host.PortBindings ?? {}),
    autoRemove,
    accelerator,
  };
}

export function zoneLabel(body: CreateBody): string | undefined {
  return body.Labels?.[LABELS.zone];
}

export function restartPolicy(policy: v.InferOutput<typeof HostRestartPolicy>): CreateRequest['restart'] {
  const name = policy.Name || 'no';
  const known = RESTART_POLICIES.find((candidate) => candidate === name);
  if (known === undefined)
    throw new NestError('invalid-input', `HostConfig.RestartPolicy.Name: invalid restart policy '${name}'`);
  return { name: known, maximumRetries: Math.max(0, policy.MaximumRetryCount ?? 0) };
}

const RESTART_POLICIES = ['no', 'always', 'on-failure', 'unless-stopped'] as const;
