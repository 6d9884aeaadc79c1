import { resolve } from 'node:path';
import type { Mount } from '../rootfs/mount.ts';
import { parseOptions } from '../rootfs/mount-options.ts';
import type { Config } from './config.ts';

/** A mount, and the ID map it asks for. */
export interface AskedMount extends Mount {
  idMap: { uids: IdMap[]; gids: IdMap[]; recursive: boolean } | null;
}

export interface IdMap {
  containerID: number;
  hostID: number;
  size: number;
}

/**
 * The mounts of a configuration, sources with their full path.
 *
 * @param cgroup the container's own; without a cgroup namespace that alone is shown of the hierarchy
 */
export function mountsOf(config: Config, bundle: string, cgroup: string): AskedMount[] {
  const { mounts, linux } = config;
  const hasCgroupNamespace = linux?.namespaces?.some(({ type }) => type === 'cgroup') ?? false;
  return (mounts ?? []).map((mount) => {
    const { bind, idMap, ...options } = parseOptions(mount.options ?? []);
    const isBind = bind || mount.type === 'bind' || mount.type === 'rbind';
    const common = { ...options, destination: mount.destination };
    const uids = mount.uidMappings ?? (idMap === 'none' ? null : linux?.uidMappings);
    const gids = mount.gidMappings ?? (idMap === 'none' ? null : linux?.gidMappings);
    const map = uids?.length && gids?.length ? { uids, gids, recursive: idMap === 'recursive' } : null;
    if (isBind) return { ...common, type: null, source: resolve(bundle, mount.source ?? ''), idMap: map };
    if (mount.type !== 'cgroup' && mount.type !== 'cgroup2')
      return { ...common, type: mount.type ?? '', source: mount.source ?? mount.type ?? '', idMap: null };
    // Guests have version 2 alone.
    if (hasCgroupNamespace) return { ...common, type: 'cgroup2', source: 'cgroup', data: null, idMap: null };
    return { ...common, type: null, source: cgroup, idMap: null };
  });
}

/** The folder of the container's root. */
export const rootOf = (config: Config, bundle: string) => resolve(bundle, config.root.path);
