import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { ContainerId, ContainerSpec, ContainerState } from '../api.ts';
import { report } from '../errors.ts';
import { containerFolders, containersFolder, type Folders } from '../folders.ts';

/** What was asked for, and when. */
const StoredSpec = v.strictObject({
  spec: ContainerSpec,
  createdAt: v.number(),
  addresses: v.optional(v.record(v.string(), v.string()), {}),
});
export type StoredSpec = v.InferOutput<typeof StoredSpec>;

/** What became of it; missing until something did. */
const StoredState = v.strictObject({ state: ContainerState, stopRequested: v.boolean(), cgroup: v.string() });
type StoredState = v.InferOutput<typeof StoredState>;

export interface StoredContainer extends StoredState {
  spec: ContainerSpec;
}

/** Makes the folders of a new container, which is none before its specification is in them. */
export function makeFolders(folders: Folders, id: string): void {
  const { state, upper, work } = containerFolders(folders, id);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  // 0755: the container's root folder has the mode of its upper folder.
  for (const folder of [upper, work]) mkdirSync(folder, { recursive: true, mode: 0o755 });
}

/**
 * Written aside and renamed, so that it is there as a whole or not at all, whenever the agent is killed. The files are not
 * synced: they need to survive the agent, whose guest shares its fate with what runs in it.
 */
export function saveSpec(folders: Folders, stored: StoredSpec): void {
  writeSpec(folders, stored);
  commitSpec(folders, stored.spec.id);
}

/** Its two halves, for one that may yet be refused. */
export function writeSpec(folders: Folders, stored: StoredSpec): void {
  writeFileSync(pendingFile(folders, stored.spec.id), JSON.stringify(stored));
}

export function commitSpec(folders: Folders, id: string): void {
  renameSync(pendingFile(folders, id), containerFolders(folders, id).specFile);
}

export function dropSpec(folders: Folders, id: string): void {
  rmSync(pendingFile(folders, id), { force: true });
}

/** One that was written and neither committed nor dropped. @throws when it was not written to its end */
export function pendingSpec(folders: Folders, id: string): ContainerSpec | undefined {
  const file = pendingFile(folders, id);
  if (!existsSync(file)) return undefined;
  return v.parse(StoredSpec, JSON.parse(readFileSync(file, 'utf8'))).spec;
}

const pendingFile = (folders: Folders, id: string) => `${containerFolders(folders, id).specFile}.new`;

export function saveState(folders: Folders, stored: StoredState): void {
  const { stateFile } = containerFolders(folders, stored.state.id);
  writeFileSync(`${stateFile}.new`, JSON.stringify(stored));
  renameSync(`${stateFile}.new`, stateFile);
}

export function newContainer({ spec, createdAt, addresses }: StoredSpec): StoredContainer {
  const never = {
    paused: false,
    health: 'none' as const,
    pid: 0,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    oomKilled: false,
    restarts: 0,
    error: '',
    addresses,
  };
  return { spec, state: { id: spec.id, status: 'created', createdAt, ...never }, stopRequested: false, cgroup: '' };
}

/** Takes the container away at once; what is returned remains to be deleted. */
export function markRemoved(folders: Folders, id: string): string {
  const { state } = containerFolders(folders, id);
  const gone = unfinished(state);
  renameSync(state, gone);
  return gone;
}

/** All containers on disk, and the folders that an interrupted create or delete left: those without a specification. */
export function loadContainers(folders: Folders): { containers: StoredContainer[]; leftovers: string[] } {
  const parent = containersFolder(folders);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const [ids, others] = partition(
    readdirSync(parent),
    (name) => v.is(ContainerId, name) && existsSync(containerFolders(folders, name).specFile),
  );
  const containers = ids.flatMap((id) => {
    try {
      return [loadContainer(folders, id)];
    } catch (error) {
      report(`load container \`${id}\``, error);
      return [];
    }
  });
  const leftovers = others.map((name) => (v.is(ContainerId, name) ? markRemoved(folders, name) : join(parent, name)));
  return { containers, leftovers };
}

function loadContainer(folders: Folders, id: string): StoredContainer {
  const { specFile, stateFile } = containerFolders(folders, id);
  const stored = v.parse(StoredSpec, JSON.parse(readFileSync(specFile, 'utf8')));
  if (!existsSync(stateFile)) return newContainer(stored);
  return { spec: stored.spec, ...v.parse(StoredState, JSON.parse(readFileSync(stateFile, 'utf8'))) };
}

/** A name beside `folder` that no container has, and no earlier attempt. */
const unfinished = (folder: string) => join(dirname(folder), `.${basename(folder)}.${process.pid}.${(attempt += 1)}`);

let attempt = 0;

function partition<T>(values: T[], test: (value: T) => boolean): [T[], T[]] {
  return [values.filter((value) => test(value)), values.filter((value) => !test(value))];
}
