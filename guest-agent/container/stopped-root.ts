import { containerFolders, layersFolder, stoppedFolder } from '../folders.ts';
import type { Runtime, StoppedRoot } from '../runtime.ts';
import type { Container } from './container.ts';

/** The folders that a container's files are in. */
export function stoppedRoot(runtime: Runtime, { spec }: Container): StoppedRoot {
  const { upper, work } = containerFolders(runtime.folders, spec.id);
  return {
    root: stoppedFolder(runtime.folders),
    layersFolder: layersFolder(runtime.folders),
    layers: runtime.layers.names(spec.layers),
    upper,
    work,
  };
}
