import path from 'node:path';
import type { DeployRequest } from '../../api.ts';
import { NestError } from '../../errors.ts';
import type { Project, Service } from '../model.ts';
import { reportConflicts } from './conflicts.ts';
import { interpolate } from './interpolate.ts';
import { isServiceName, parseProjectName, parseZone, projectNameOfFolder } from './names.ts';
import { createProblems, Invalid, quoted, type Place, type Problems } from './problems.ts';
import { fields, isMap, isNull, scalar, type Reader } from './read.ts';
import { completeService, serviceReader, type ServiceFields } from './service.ts';
import { reportNetworks } from './connection.ts';
import { type NetworkFields, networksReader, projectNetworks } from './networks.ts';
import { reportApart } from './apart.ts';
import { withSharedShapes } from '../companions.ts';
import { projectVolumes, reportMounts, volumesReader } from './volumes.ts';
import { readTree, type Value } from './tree.ts';
import { topLevelRefusal } from './unsupported.ts';

export type ComposeRequest = Pick<
  DeployRequest,
  'file' | 'fileName' | 'folder' | 'directory' | 'project' | 'environment'
>;

export interface ParsedCompose {
  project: Project;
  /** One line each. */
  warnings: string[];
}

/**
 * Reads a Compose file (https://github.com/compose-spec/compose-spec): the keys that nest supports, and `x-nest`.
 *
 * @throws NestError `invalid-compose` with everything that is wrong, each as `file:line:column: path: what; advice`
 */
export function parseCompose(request: ComposeRequest): ParsedCompose {
  const problems = createProblems(request.fileName);
  const unset = new Set<string>();
  const expand = (text: string) => interpolate(text, request.environment, (name) => unset.add(name));
  const tree = readTree(request.file, expand, problems);
  const file = tree && readFile(tree, request, problems);
  problems.finish();
  if (file === undefined) throw new Error('parseCompose: read nothing and reported nothing');
  const warnings = [...unset].map((name) => `${request.fileName}: variable ${name} is not set: it is empty`);
  if (file.version !== undefined) warnings.push(`${request.fileName}: version is obsolete: it has no effect`);
  return { project: file.project, warnings };
}

interface NamedService {
  name: string;
  read: ServiceFields;
  place: Place;
}

function readFile(
  tree: Value,
  request: ComposeRequest,
  problems: Problems,
): { project: Project; version: string | undefined } {
  const readers = {
    name: scalar('a name', parseProjectName),
    version: scalar('a version', (text) => text),
    services: servicesReader(request.environment),
    volumes: volumesReader,
    networks: networksReader,
    'x-nest': fields({ zone: scalar('a name', parseZone) }),
  };
  const read = fields(readers, { refusal: topLevelRefusal, extensions: true })(tree, problems);
  if (isNull(tree) || (read !== undefined && !hasContent(tree, 'services'))) {
    problems.report(tree, 'has no services', 'add `services:` with at least one service');
  }
  const name = projectName(request, read?.name) ?? reportNameless(tree, problems);
  const zone = read?.['x-nest']?.zone ?? name;
  const services = read?.services ?? [];
  const defined = read?.volumes ?? [];
  reportConflicts(services, problems);
  reportMounts(services, defined, problems);
  const networks = read?.networks ?? [];
  reportNetworks(services, networks, problems);
  const volumes = projectVolumes(defined, name);
  const completed = complete(services, { name, zone, volumes, networks, directory: request.directory ?? '/' });
  reportApart(completed, new Map(services.map((service) => [service.name, service.place])), problems);
  return {
    project: {
      name,
      zone,
      volumes,
      networks: projectNetworks(completed, networks, { name, zone }),
      services: withSharedShapes(completed),
    },
    version: read?.version,
  };
}

function servicesReader(environment: Readonly<Record<string, string>>): Reader<NamedService[]> {
  const readService = serviceReader(environment);
  return (value, problems) => {
    if (!isMap(value, problems)) return undefined;
    return [...value.entries].flatMap(([name, entry]) => {
      if (!isServiceName(name)) {
        problems.report(entry.key, `${quoted(name)} is no service name`, 'use letters, digits, -, _ and ., at most 63');
      }
      const read = readService(entry.value, problems);
      if (isNull(entry.value) || (read !== undefined && !hasContent(entry.value, 'image'))) {
        problems.report(entry.key, 'has no image', 'add `image: NAME`');
      }
      return read === undefined ? [] : [{ name, read, place: entry.key }];
    });
  };
}

/** True when the map has something under this key, be it wrong: that has its own message. */
function hasContent(value: Value, key: string): boolean {
  const content = value.kind === 'map' ? value.entries.get(key)?.value : undefined;
  if (content?.kind === 'map') return content.entries.size > 0;
  return content !== undefined && !isNull(content);
}

function complete(
  services: NamedService[],
  project: Pick<Project, 'name' | 'zone' | 'volumes'> & { directory: string; networks: NetworkFields[] },
): Service[] {
  const named = new Map(services.map(({ name, read }) => [name, read.container_name?.value]));
  const containerOf = (service: string) => named.get(service) ?? `${project.name}-${service}-1`;
  return services.flatMap(({ name, read }) => {
    const { image } = read;
    return image === undefined ? [] : [completeService(name, { ...read, image }, project, containerOf)];
  });
}

/** Compose's order: what the caller says, COMPOSE_PROJECT_NAME, the file's name, its folder. */
function projectName(request: ComposeRequest, inFile: string | undefined): string | undefined {
  const fromCaller = request.project ?? (request.environment['COMPOSE_PROJECT_NAME'] || undefined);
  if (fromCaller === undefined) return inFile ?? projectNameOfFolder(path.basename(request.folder));
  try {
    return parseProjectName(fromCaller);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new NestError('invalid-input', `name the project: ${error.message}`, { hint: `Please ${error.advice}.` });
  }
}

function reportNameless(tree: Value, problems: Problems): string {
  problems.report(tree, 'has no project name, and its folder gives none', 'add `name: NAME`');
  return '';
}
