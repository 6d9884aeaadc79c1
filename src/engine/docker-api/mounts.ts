import * as v from 'valibot';
import type { ContainerSpec } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { readSize } from '../../quantities.ts';
import type { HostCopy } from '../state/record.ts';
import { checkVolumeName } from '../volumes/create.ts';
import { invalidMount, mountDestination } from '../volumes/destination.ts';
import { ANONYMOUS_VOLUME, type VolumeRequest } from '../volumes/request.ts';

const text = v.pipe(v.string(), v.maxLength(4096), v.regex(/^[^\0]*$/));
const labels = v.nullish(v.record(text, text));

/** An entry of HostConfig.Mounts: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container. */
const Mount = v.looseObject({
  Type: v.nullish(text),
  Source: v.nullish(text),
  Target: v.nullish(text),
  ReadOnly: v.nullish(v.boolean()),
  Consistency: v.nullish(text),
  BindOptions: v.nullish(v.looseObject({ Propagation: v.nullish(text) })),
  VolumeOptions: v.nullish(
    v.looseObject({
      NoCopy: v.nullish(v.boolean()),
      Labels: labels,
      Subpath: v.nullish(text),
      DriverConfig: v.nullish(v.object({ Name: v.nullish(text), Options: labels })),
    }),
  ),
  TmpfsOptions: v.nullish(v.looseObject({ SizeBytes: v.nullish(v.number()), Mode: v.nullish(v.number()) })),
});
type Mount = v.InferOutput<typeof Mount>;

/** The fields of HostConfig that mount something. */
export const MOUNT_FIELDS = {
  Binds: v.nullish(v.pipe(v.array(text), v.maxLength(64))),
  Mounts: v.nullish(v.pipe(v.array(Mount), v.maxLength(64))),
};
type HostMounts = v.InferOutput<v.ObjectSchema<typeof MOUNT_FIELDS, undefined>>;

export interface Mounts {
  volumes: VolumeRequest[];
  copies: HostCopy[];
  tmpfs: NonNullable<ContainerSpec['tmpfs']>;
}

/**
 * @param declared the body's `Volumes`: paths that get a volume of their own
 * @throws NestError `invalid-input`, `unsupported`.
 */
export function mountsOf(host: HostMounts, declared: Record<string, unknown> | null | undefined): Mounts {
  const parts = [...(host.Binds ?? []).map(fromBind), ...(host.Mounts ?? []).map(fromMount)];
  const volumes = parts.flatMap((part) => ('name' in part ? part : []));
  const copies = parts.flatMap((part) => ('source' in part ? part : []));
  const tmpfs = parts.flatMap((part) => ('options' in part ? part : []));
  const taken = new Set(parts.map(({ destination }) => destination));
  if (taken.size < parts.length) throw invalidMount('mounts', 'two are on the same path');
  const own = new Set(Object.keys(declared ?? {}).map((path) => mountDestination(path, path))).difference(taken);
  return {
    tmpfs,
    copies,
    volumes: [...volumes, ...[...own].map((destination) => ({ ...ANONYMOUS_VOLUME, destination }))],
  };
}

/** `NAME:/path`, `NAME:/path:ro,nocopy`, `/path`, `/path/of/host:/path`. */
function fromBind(bind: string): VolumeRequest | HostCopy {
  const [source = '', destination, options = '', ...more] = bind.split(':');
  if (more.length > 0 || source === '') throw invalidMount(bind, 'not NAME:PATH[:OPTIONS]');
  if (destination === undefined) return { ...ANONYMOUS_VOLUME, destination: mountDestination(bind, source) };
  const words = options.split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !BIND_OPTIONS.has(word));
  if (unknown !== undefined)
    throw invalidMount(bind, `option \`${unknown}\` is unknown`, 'ro, rw and nocopy are known');
  const asked = { destination: mountDestination(bind, destination), readOnly: words.includes('ro') };
  if (source.startsWith('/')) return { source, ...asked };
  return named(source, { ...asked, copy: !words.includes('nocopy') });
}

function fromMount(mount: Mount): VolumeRequest | HostCopy | Mounts['tmpfs'][number] {
  const { Type: type, Target, Source, ReadOnly } = mount;
  const destination = mountDestination(`mount \`${Target ?? ''}\``, Target ?? '');
  switch (type || 'volume') {
    case 'volume': {
      const { NoCopy, Labels, Subpath, DriverConfig } = mount.VolumeOptions ?? {};
      if (Subpath) throw unsupported(destination, 'VolumeOptions.Subpath', 'mount the whole volume');
      const driver = volumeOptions(DriverConfig?.Name, DriverConfig?.Options);
      const asked = { destination, readOnly: ReadOnly ?? false, copy: NoCopy !== true, ...driver };
      if (!Source) return { ...ANONYMOUS_VOLUME, ...asked, labels: Labels ?? {} };
      return { ...named(Source, asked), labels: Labels ?? {} };
    }
    case 'bind': {
      const { Propagation } = mount.BindOptions ?? {};
      if (Propagation && Propagation !== 'rprivate' && Propagation !== 'private')
        throw unsupported(
          destination,
          `propagation \`${Propagation}\``,
          'leave it out: what is copied shows no later mounts',
        );
      if (!Source?.startsWith('/')) throw invalidMount(destination, 'its source is no absolute path');
      return { source: Source, destination, readOnly: ReadOnly ?? false };
    }
    case 'tmpfs': {
      const { SizeBytes, Mode } = mount.TmpfsOptions ?? {};
      return {
        destination,
        options: [
          ...(SizeBytes ? [`size=${SizeBytes}`] : []),
          ...(Mode ? [`mode=${Mode.toString(8)}`] : []),
          ...(ReadOnly === true ? ['ro'] : []),
        ],
      };
    }
    default:
      throw unsupported(destination, `type \`${(type ?? '').slice(0, 32)}\``, 'use a volume: type=volume');
  }
}

function named(
  source: string,
  asked: Pick<VolumeRequest, 'destination' | 'readOnly' | 'copy'> & { size?: number | null },
): VolumeRequest {
  checkVolumeName(source);
  return { size: null, labels: {}, ...asked, name: source };
}

/** Options of the driver `local`: `size`, in bytes or with a unit. */
export function volumeOptions(
  driver: string | null | undefined,
  options: Record<string, string> | null | undefined,
): { size: number | null } {
  if (driver && driver !== 'local')
    throw new NestError('unsupported', `volume driver \`${driver.slice(0, 64)}\`: there is none`, {
      hint: 'leave it out: `local` is the only one',
    });
  const { size, ...others } = options ?? {};
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new NestError('unsupported', `volume option \`${other.slice(0, 64)}\`: not supported by nest`, {
      hint: '`size` is: size=2g',
    });
  if (size === undefined) return { size: null };
  const bytes = readSize(size);
  if (bytes === undefined) throw invalidMount(`size \`${size.slice(0, 32)}\``, 'not a size', 'write 512m, 2g');
  return { size: bytes };
}

function unsupported(what: string, field: string, hint: string): NestError {
  return new NestError('unsupported', `create container: mount \`${what}\`: ${field}: not supported by nest yet`, {
    hint,
  });
}

/** z and Z are labels of SELinux, which guests have not. */
const BIND_OPTIONS = new Set(['ro', 'rw', 'nocopy', 'z', 'Z']);
