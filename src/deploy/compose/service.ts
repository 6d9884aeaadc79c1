import type { RestartPolicy } from '../../../guest-agent/api.ts';
import type { Project, Service } from '../model.ts';
import {
  parseAbsolutePath,
  parseContainerName,
  parseHostname,
  parseImageName,
  parseSignal,
  parseUser,
  parseGuestShape,
  parseZone,
} from './names.ts';
import { mountReader } from './mounts.ts';
import { healthReader } from './health.ts';
import { endpointsReader, parseNetworkMode, serviceNetwork } from './connection.ts';
import type { NetworkFields } from './networks.ts';
import { exposedReader, portReader } from './ports.ts';
import { Invalid, quoted } from './problems.ts';
import {
  parseBytes,
  parseCpus,
  parseCpuset,
  parseLogDriver,
  parseLogFiles,
  parseLogSize,
  parseMemory,
  parsePids,
  parseSeconds,
  parseShares,
  parseSwap,
  parseWeight,
} from './quantities.ts';
import { either, fields, list, located, scalar, type Fields, type Reader } from './read.ts';
import { settingKeys, settingsOf } from './settings.ts';
import { serviceRefusal } from './unsupported.ts';
import { environmentReader, labelsReader } from './variables.ts';
import { namedMounts } from './volumes.ts';
import { splitWords } from './words.ts';

/** A service as the file has it, before defaults that depend on the project. */
export type ServiceFields = Fields<ReturnType<typeof serviceKeys>>;

/** @param environment the caller's variables, for names that `environment` leaves open */
export function serviceReader(environment: Readonly<Record<string, string>>): Reader<ServiceFields> {
  return fields(serviceKeys(environment), { refusal: serviceRefusal, extensions: true });
}

/**
 * The model's service: what the file leaves out is filled in.
 *
 * @param containerOf name of another service's container
 */
export function completeService(
  name: string,
  read: ServiceFields & { image: string },
  project: Pick<Project, 'name' | 'zone' | 'volumes'> & { directory: string; networks: NetworkFields[] },
  containerOf: (service: string) => string,
): Service {
  const zone = read['x-nest']?.zone ?? project.zone;
  return {
    name,
    container: containerOf(name),
    zone,
    shape: read['x-nest']?.shape ?? null,
    image: read.image,
    command: read.command ?? null,
    entrypoint: read.entrypoint ?? null,
    environment: read.environment ?? {},
    labels: read.labels ?? {},
    ports: read.ports?.map((port) => port.value) ?? [],
    mounts: namedMounts(read.volumes, project),
    network: serviceNetwork(name, read, project, { zone, containerOf }),
    exposed: read.expose?.flat() ?? [],
    hostname: read.hostname ?? null,
    workingDirectory: read.working_dir ?? null,
    user: read.user ?? null,
    stopSignal: read.stop_signal ?? null,
    stopSeconds: read.stop_grace_period ?? null,
    memory: read.mem_limit ?? null,
    cpus: read.cpus ?? null,
    pids: read.pids_limit ?? null,
    memoryReservation: read.mem_reservation ?? null,
    memorySwap: read.memswap_limit ?? null,
    cpuShares: read.cpu_shares ?? null,
    cpuset: read.cpuset ?? null,
    blkioWeight: read.blkio_config?.weight ?? null,
    health: read.healthcheck ?? null,
    log: read.logging?.options ?? null,
    settings: settingsOf(read),
    restart: read.restart ?? { name: 'no', maximumRetries: 0 },
  };
}

function serviceKeys(environment: Readonly<Record<string, string>>) {
  return {
    image: scalar('an image name', parseImageName),
    command: commandReader,
    entrypoint: commandReader,
    environment: environmentReader(environment),
    ports: list(located(portReader)),
    volumes: list(located(mountReader)),
    networks: endpointsReader,
    network_mode: located(scalar('a network mode', parseNetworkMode)),
    expose: list(exposedReader),
    mem_limit: scalar('a size', parseMemory),
    cpus: scalar('a number', parseCpus),
    pids_limit: scalar('a number', parsePids),
    mem_reservation: scalar('a size', parseBytes),
    memswap_limit: scalar('a size', parseSwap),
    cpu_shares: scalar('a number', parseShares),
    cpuset: scalar('a list of processors', parseCpuset),
    blkio_config: fields({ weight: scalar('a number', parseWeight) }),
    healthcheck: healthReader,
    logging: fields({
      driver: scalar('a name', parseLogDriver),
      options: fields({ 'max-size': scalar('a size', parseLogSize), 'max-file': scalar('a number', parseLogFiles) }),
    }),
    restart: scalar('a restart policy', parseRestart),
    container_name: located(scalar('a name', parseContainerName)),
    hostname: scalar('a name', parseHostname),
    working_dir: scalar('a path', parseAbsolutePath),
    user: scalar('a user', parseUser),
    stop_signal: scalar('a signal', parseSignal),
    stop_grace_period: scalar('a duration', parseSeconds),
    labels: labelsReader,
    ...settingKeys,
    'x-nest': fields({ zone: scalar('a name', parseZone), shape: scalar('a shape', parseGuestShape) }),
  };
}

/** "no", "always", "on-failure", "on-failure:3", "unless-stopped". */
export function parseRestart(text: string): RestartPolicy {
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d{1,6}))?$/.exec(text);
  const [, name, retries] = match ?? [];
  if (match === null || (retries !== undefined && name !== 'on-failure')) {
    throw new Invalid(`${quoted(text)} is no restart policy`, 'write no, always, on-failure[:N] or unless-stopped');
  }
  return { name: name as RestartPolicy['name'], maximumRetries: Number(retries ?? 0) };
}

/** A list is taken as it is, a string is split as a shell would. */
const commandReader: Reader<string[]> = (value, problems) => {
  const words = WORDS(value, problems);
  if (words?.length !== 0) return words;
  const itemsBroken = value.kind === 'list' && value.items.length > 0;
  if (!itemsBroken) problems.report(value, 'is empty', "remove the key to use the image's");
  return undefined;
};

const WORDS = either<string[]>({
  text: scalar('a command', splitWords),
  list: list(scalar('a word', (text) => text)),
  map: scalar('a command or a list of words', splitWords),
});
