import { relative } from 'node:path';
import { baseFolder, containerFolders, layersFolder, stoppedFolder } from '../folders.ts';
import type { Runtime, StoppedRoot } from '../runtime.ts';
import type { Container } from './container.ts';

/** The folders that a container's files are in. */
export function stoppedRoot({ folders, layers }: Runtime, { spec }: Container): StoppedRoot {
  const { upper, work } = containerFolders(folders, spec.id);
  const layersIn = layersFolder(folders);
  const base = spec.network === undefined ? [] : [relative(layersIn, baseFolder(folders))];
  return {
    root: stoppedFolder(folders),
    layersFolder: layersIn,
    layers: [...layers.names(spec.layers), ...base],
    upper,
    work,
  };
}
