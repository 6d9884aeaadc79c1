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
    ...networking(asObject(body['NetworkingConfig'])),
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

/** The same for a body of POST /networks/create. */
export function refuseNetwork(body: Record<string, unknown>): void {
  const ipam = asObject(body['IPAM']);
  const ranges = Array.isArray(ipam['Config']) ? ipam['Config'] : [];
  const fields = [
    ...unsupported(body, '', NETWORK),
    ...(body['EnableIPv4'] === false ? ['EnableIPv4'] : []),
    ...unsupported(ipam, 'IPAM.', IPAM),
    ...ranges.flatMap((range) => unsupported(asObject(range), 'IPAM.Config.', RANGE)),
    ...(ranges.length > 1 ? ['more than one IPAM.Config'] : []),
  ];
  if (fields.length === 0) return;
  throw new NestError('unsupported', `create network: not supported by nest yet: ${fields.join(', ').slice(0, 1024)}`, {
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
function networking(config: Record<string, unknown>): string[] {
  const endpoints = Object.entries(asObject(config['EndpointsConfig'])).flatMap(([name, content]) => {
    const [endpoint, prefix] = [asObject(content), `NetworkingConfig.EndpointsConfig.${name}.`];
    return [
      ...unsupported(endpoint, prefix, { Aliases: anything, IPAMConfig: anything }),
      ...unsupported(asObject(endpoint['IPAMConfig']), `${prefix}IPAMConfig.`, { IPv4Address: anything }),
    ];
  });
  return [...unsupported(config, 'NetworkingConfig.', { EndpointsConfig: anything }), ...endpoints];
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

const NETWORK: Harmless = {
  ...Object.fromEntries('Name Internal IPAM Labels'.split(' ').map((name) => [name, anything])),
  Driver: oneOf('bridge'),
  Scope: oneOf('local'),
  EnableIPv4: oneOf(true),
  // About swarms, and names are always checked.
  Attachable: anything,
  CheckDuplicate: anything,
  ConfigFrom: (value) => isEmpty(asObject(value)['Network']),
};
const IPAM: Harmless = { Driver: oneOf('default'), Config: anything };
const RANGE: Harmless = { Subnet: anything, Gateway: anything };

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
