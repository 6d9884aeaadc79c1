import { containerFolders, layersFolder } from '../folders.ts';
import type { Runtime, StoppedRoot } from '../runtime.ts';
import type { Container } from './container.ts';

/** The folders that a container's files are in. */
export function stoppedRoot(runtime: Runtime, { spec }: Container): StoppedRoot {
  const { root, upper } = containerFolders(runtime.folders, spec.id);
  return {
    root,
    layersFolder: layersFolder(runtime.folders),
    layers: runtime.layers.names(spec.layers),
    upper,
  };
}
