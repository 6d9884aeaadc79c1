import { NestError } from '../../errors.ts';
import { HOST_LIMITS } from './limits.ts';
import { MOUNT_FIELDS } from './mounts.ts';
import { networkFields } from './network-body.ts';
import { settingsFields } from './settings.ts';

/**
 * Refuses a create body that asks for something nest does not do. A field that is not supported must be empty, or have the
 * value that Docker's clients always send: so an option of a newer client is refused too, and never dropped in silence.
 */
export function refuseUnsupported(body: Record<string, unknown>): void {
  const fields = [
    ...unsupported(body, '', CONFIG),
    ...unsupported(asObject(body['HostConfig']), 'HostConfig.', { ...HOST_CONFIG, ...SETTINGS }),
    ...networks(body['NetworkingConfig']),
  ];
  if (fields.length === 0) return;
  throw new NestError('unsupported', `create container: not supported by nest yet: ${fields.join(', ')}`, {
    hint: 'leave these out',
  });
}

/** The same for a body of POST /containers/{id}/update. */
export function refuseUpdate(body: Record<string, unknown>): void {
  const fields = unsupported(body, '', HOST_CONFIG);
  if (fields.length === 0) return;
  throw new NestError('unsupported', `update container: not supported by nest yet: ${fields.join(', ')}`, {
    hint: 'leave these out',
  });
}

/** What a field may say, besides nothing. */
type Harmless = Record<string, (value: unknown) => boolean>;

function unsupported(given: Record<string, unknown>, prefix: string, harmless: Harmless): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const fine = isEmpty(value) || (Object.hasOwn(harmless, name) && harmless[name]?.(value));
    return fine ? [] : `${prefix}${name}`;
  });
}

/** Of each endpoint: addresses and aliases are served, what else a client sends is not. */
function networks(config: unknown): string[] {
  const endpoints = asObject(asObject(config)['EndpointsConfig']);
  return Object.entries(endpoints).flatMap(([name, endpoint]) =>
    unsupported(asObject(endpoint), `NetworkingConfig.EndpointsConfig.${name}.`, {
      Aliases: anything,
      IPAMConfig: anything,
    }),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}

const anything = () => true;
const oneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);

const CONFIG: Harmless = Object.fromEntries(
  [
    'Image Hostname User Env Cmd Entrypoint Labels WorkingDir StopSignal StopTimeout OpenStdin StdinOnce Tty Domainname',
    'ExposedPorts Healthcheck Volumes',
    'HostConfig NetworkingConfig AttachStdin AttachStdout AttachStderr ArgsEscaped',
    // dockerode repeats the query in the body.
    'name platform',
  ].flatMap((names) => names.split(' ').map((name) => [name, anything])),
);

/** Fixed when the container is made. */
const SETTINGS: Harmless = Object.fromEntries(
  Object.keys({ ...settingsFields, ...MOUNT_FIELDS }).map((name) => [name, anything]),
);

const HOST_CONFIG: Harmless = {
  ...Object.fromEntries(Object.keys(HOST_LIMITS).map((name) => [name, anything])),
  MemorySwappiness: oneOf(-1),
  AutoRemove: anything,
  RestartPolicy: anything,
  PortBindings: anything,
  ...Object.fromEntries(Object.keys(networkFields).map((name) => [name, anything])),
  LogConfig: anything,
  CgroupnsMode: oneOf('private'),
  IpcMode: oneOf('private'),
  Isolation: oneOf('default'),
  Runtime: oneOf('nest'),
  VolumeDriver: oneOf('local'),
};
