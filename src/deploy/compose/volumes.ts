import path from 'node:path';
import type { Project, ProjectVolume, ServiceMount } from '../model.ts';
import { parseFlag } from './settings.ts';
import { parseVolumeName, parseZone } from './names.ts';
import { Invalid, quoted, type Problems } from './problems.ts';
import { parseBytes } from './quantities.ts';
import { definitions, fields, type Located, scalar } from './read.ts';
import type { ServiceFields } from './service.ts';
import { labelsReader } from './variables.ts';

/** A top-level volume as the file has it; its name depends on the project's. */
export type VolumeFields = Omit<ProjectVolume, 'name'> & { name: string | null };

const DEFINITION = fields(
  {
    name: scalar('a name', parseVolumeName),
    external: scalar('true or false', parseFlag),
    driver: scalar('a name', parseDriver),
    driver_opts: fields({ size: scalar('a size', parseBytes) }),
    labels: labelsReader,
    'x-nest': fields({ size: scalar('a size', parseBytes), zone: scalar('a name', parseZone) }),
  },
  { extensions: true },
);

/** `volumes` at the top of the file: https://github.com/compose-spec/compose-spec/blob/main/07-volumes.md */
export const volumesReader = definitions(parseVolumeName, DEFINITION, (key, read): VolumeFields => ({
  key,
  name: read.name ?? null,
  external: read.external ?? false,
  zone: read['x-nest']?.zone ?? null,
  size: read['x-nest']?.size ?? read.driver_opts?.size ?? null,
  labels: read.labels ?? {},
}));

function parseDriver(text: string): string {
  if (text === 'local') return text;
  throw new Invalid(`${quoted(text)} is no driver that nest has`, 'remove the key');
}

/** Reports what a service mounts that the file does not define, and two things on one path. */
export function reportMounts(services: { read: ServiceFields }[], volumes: VolumeFields[], problems: Problems): void {
  const known = new Set(volumes.map(({ key }) => key));
  for (const { read } of services) {
    const targets = new Set<string>();
    for (const { value: mount, place } of read.volumes ?? []) {
      if (targets.has(mount.target)) problems.report(place, `${quoted(mount.target)} is mounted twice`, 'remove one');
      targets.add(mount.target);
      if (mount.type !== 'volume' || mount.source === null || known.has(mount.source)) continue;
      problems.report(place, `volume ${quoted(mount.source)} is not defined`, `add \`volumes: { ${mount.source}: }\``);
    }
  }
}

/** Named as Compose names them. */
export function projectVolumes(volumes: VolumeFields[], project: string): ProjectVolume[] {
  return volumes.map((volume) => ({
    ...volume,
    name: volume.name ?? (volume.external ? volume.key : `${project}_${volume.key}`),
  }));
}

/** A service's mounts, with the volumes' own names and absolute paths. */
export function namedMounts(
  mounts: Located<ServiceMount>[] | undefined,
  { volumes, directory }: { volumes: Project['volumes']; directory: string },
): ServiceMount[] {
  return (mounts ?? []).map(({ value: mount }) => {
    if (mount.type === 'bind') return { ...mount, source: path.resolve(directory, mount.source) };
    if (mount.type !== 'volume' || mount.source === null) return mount;
    return { ...mount, source: volumes.find(({ key }) => key === mount.source)?.name ?? mount.source };
  });
}
