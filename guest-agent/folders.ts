import { join } from 'node:path';

/** The two roots of everything that the agent keeps. */
export interface Folders {
  /** On the guest's own disk: survives a reboot of the guest. */
  state: string;
  /** On a tmpfs: is empty after a boot. */
  runtime: string;
}

export const FOLDERS: Folders = { state: '/var/lib/nest', runtime: '/run/nest' };

/** Every name on disk, defined once. */
export const containersFolder = (folders: Folders) => join(folders.state, 'containers');
export const layersFolder = (folders: Folders) => join(folders.runtime, 'layers');
export const volumesFolder = (folders: Folders) => join(folders.runtime, 'volumes');
/** Where a stopped container's root is mounted for the moment in which it is opened. */
export const stoppedFolder = (folders: Folders) => join(folders.runtime, 'stopped');
/** The network namespace of network/switch.ts. */
export const switchFile = (folders: Folders) => join(folders.runtime, 'switch');
/** Below every image: network/etc-files.ts. */
export const baseFolder = (folders: Folders) => join(folders.runtime, 'base');
export const execsFolder = (folders: Folders) => join(folders.runtime, 'exec');
export const agentSocket = (folders: Folders) => join(folders.runtime, 'agent.sock');
/** Who this guest is, from the moment it knows: identity.ts. */
export const identityFile = (folders: Folders) => join(folders.runtime, 'identity.json');
/** Its existence tells that an agent ran before in this boot. */
export const agentMarker = (folders: Folders) => join(folders.runtime, 'agent.started');

export function containerFolders(folders: Folders, id: string) {
  const state = join(containersFolder(folders), id);
  return {
    state,
    specFile: join(state, 'spec.json'),
    stateFile: join(state, 'state.json'),
    log: join(state, 'log'),
    /** What it wrote over its image. */
    upper: join(state, 'upper'),
    work: join(state, 'work'),
    copies: join(state, 'copies'),
    etc: join(state, 'etc'),
  };
}

export const slotsFolder = (folders: Folders) => join(folders.runtime, 'slots');

/** What container/slots.ts makes, below the runtime folder. */
export function slotPaths(folders: Folders, name: string) {
  const folder = join(slotsFolder(folders), name);
  const unlogged = (stream: string) => join(folder, `${stream}.unlogged`);
  return {
    folder,
    root: join(folder, 'root'),
    ...stdioPaths(folder),
    /** What was read and is not in the log yet: stdio/unlogged.ts. */
    unlogged: { stdout: unlogged('stdout'), stderr: unlogged('stderr'), terminal: unlogged('terminal') },
  };
}

/** The FIFOs of a process in its runtime folder. */
export const stdioPaths = (folder: string) => ({
  stdin: join(folder, 'stdin'),
  stdout: join(folder, 'stdout'),
  stderr: join(folder, 'stderr'),
});
