import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Config, parseConfig } from '../oci/config.ts';
import { RuntimeError } from './errors.ts';

/** What is kept of a container between two calls, in <root>/<id>/state.json. */
const Stored = v.object({
  id: v.string(),
  bundle: v.string(),
  /** Of its first process, as this process sees it. */
  pid: v.number(),
  /** In clock ticks since boot: tells the process from a later one of the same number. */
  startTime: v.string(),
  /** RFC 3339. */
  created: v.string(),
  /** Folder of its cgroup. */
  cgroup: v.string(),
  /** CLONE_NEW* of the namespaces that are not this process's. */
  namespaces: v.number(),
});
export type Stored = v.InferOutput<typeof Stored>;

export interface Container extends Stored {
  /** Folder of its state. */
  folder: string;
  config: Config;
}

export type Status = 'created' | 'running' | 'paused' | 'stopped';

/** Every name in a container's folder, defined once. */
export const files = (folder: string) => ({
  state: join(folder, 'state.json'),
  /** As it was at create: who may change the bundle must not change what exec gives. */
  config: join(folder, 'config.json'),
  /** A byte in it starts the program; it is gone once it has been started. */
  startFifo: join(folder, 'start'),
});

/** Takes the name. @throws RuntimeError when it is taken or none */
export function reserve(root: string, id: string): string {
  if (!/^[A-Za-z0-9_+.-]{1,1024}$/.test(id) || id === '.' || id === '..')
    throw new RuntimeError(`check container id \`${id}\`: not made of letters, digits and _+-.`);
  const folder = join(root, id);
  mkdirSync(root, { recursive: true, mode: 0o711 });
  try {
    mkdirSync(folder, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new RuntimeError(`create container \`${id}\`: container with given ID already exists`, { cause: error });
  }
  return folder;
}

/** The state comes last and whole: a container without it was never made. */
export function save(folder: string, stored: Stored): void {
  const { state } = files(folder);
  writeFileSync(`${state}.new`, JSON.stringify(stored), { mode: 0o600 });
  renameSync(`${state}.new`, state);
}

export function find(root: string, id: string): Container {
  const folder = join(root, id);
  const known = /^[A-Za-z0-9_+.-]+$/.test(id) && existsSync(files(folder).state);
  if (!known) throw new RuntimeError(`find container \`${id}\`: container does not exist`);
  const stored = v.parse(Stored, JSON.parse(readFileSync(files(folder).state, 'utf8')));
  return { ...stored, folder, config: parseConfig(JSON.parse(readFileSync(files(folder).config, 'utf8'))) };
}

export function ids(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root).filter((id) => existsSync(files(join(root, id)).state));
}

export const forget = (folder: string) => rmSync(folder, { recursive: true, force: true });

export function statusOf({ pid, startTime, folder, cgroup }: Container): Status {
  if (startTimeOf(pid) !== startTime) return 'stopped';
  if (existsSync(files(folder).startFifo)) return 'created';
  const freeze = join(cgroup, 'cgroup.freeze');
  return existsSync(freeze) && readFileSync(freeze, 'utf8').startsWith('1') ? 'paused' : 'running';
}

/** Empty when there is no such process, or only its remains: proc_pid_stat(5), fields 3 and 22. */
export function startTimeOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
