import path from 'node:path';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { NestError } from '../errors.ts';
import { parseBytes } from './docker-values.ts';

type MountSettings = NonNullable<HostConfig['Mounts']>[number];

/** `-v` and `--mount` as Docker's API takes them; what is not asked for is left out. @throws NestError `invalid-input` */
export function mountSettings(flags: { volume?: string[] | undefined; mount?: string[] | undefined }): {
  body: Pick<ContainerCreateOptions, 'Volumes'>;
  host: Pick<HostConfig, 'Binds' | 'Mounts'>;
} {
  const volumes = flags.volume ?? [];
  const anonymous = volumes.filter((volume) => !volume.includes(':'));
  const binds = volumes.filter((volume) => volume.includes(':')).map(withAbsolutePath);
  return {
    body: anonymous.length === 0 ? {} : { Volumes: Object.fromEntries(anonymous.map((target) => [target, {}])) },
    host: {
      ...(binds.length > 0 && { Binds: binds }),
      ...(flags.mount && { Mounts: flags.mount.map(parseMount) }),
    },
  };
}

/** `type=volume,source=data,target=/data,readonly,volume-nocopy`: https://docs.docker.com/engine/storage/volumes/#syntax */
export function parseMount(text: string): MountSettings {
  const options = new Map(
    text.split(',').map((option): [string, string] => {
      const at = option.indexOf('=');
      return at === -1 ? [option.trim(), 'true'] : [option.slice(0, at).trim(), option.slice(at + 1)];
    }),
  );
  const take = (...names: string[]) => {
    const name = names.find((each) => options.has(each));
    const value = name === undefined ? undefined : options.get(name);
    if (name !== undefined) options.delete(name);
    return value;
  };
  const type = take('type') ?? 'volume';
  const source = take('source', 'src') ?? '';
  const target = take('target', 'destination', 'dst');
  const readOnly = isTrue(take('readonly', 'ro'));
  if (target === undefined) throw invalid(text, 'it has no target', 'add target=/PATH');
  const common = { Target: target, Source: source, ReadOnly: readOnly };
  const mount = ((): object => {
    switch (type) {
      case 'volume': {
        const noCopy = isTrue(take('volume-nocopy'));
        const size = take('volume-opt-size', 'size');
        const driver = size === undefined ? {} : { DriverConfig: { Name: 'local', Options: { size } } };
        return { Type: 'volume', ...common, VolumeOptions: { NoCopy: noCopy, Labels: {}, ...driver } };
      }
      case 'bind':
        if (isTrue(take('live'))) throw invalid(text, NOT_LIVE, 'leave `live` out, and copy what changes: nest cp');
        return { Type: 'bind', ...common, Source: path.resolve(source) };
      case 'tmpfs': {
        const size = take('tmpfs-size');
        const mode = take('tmpfs-mode');
        const asked = {
          ...(size !== undefined && { SizeBytes: parseBytes(size) }),
          ...(mode !== undefined && { Mode: Number.parseInt(mode, 8) }),
        };
        return { Type: 'tmpfs', ...common, TmpfsOptions: asked };
      }
      default:
        throw invalid(text, `type \`${type}\` is unknown`, 'types: volume, bind, tmpfs');
    }
  })();
  const [unknown] = options.keys();
  if (unknown !== undefined) throw invalid(text, `\`${unknown}\` is unknown`, MOUNT_HINT);
  return mount as MountSettings;
}

/** A path of this machine, as seen from here; the engine knows no current folder. */
function withAbsolutePath(volume: string): string {
  if (!/^\.{1,2}(\/|:)/.test(volume)) return volume;
  const [source = '', ...rest] = volume.split(':');
  return [path.resolve(source), ...rest].join(':');
}

const isTrue = (value: string | undefined) => value === 'true' || value === '1';

function invalid(mount: string, why: string, hint: string): NestError {
  return new NestError('invalid-input', `mount \`${mount}\`: ${why}`, { hint });
}

/** docs/decisions/0014-volumes.md */
const NOT_LIVE = "no file system is shared live: guests are clones, whose memory the host's file server cannot map";
const MOUNT_HINT = 'options: type, source, target, readonly, volume-nocopy, size, tmpfs-size, tmpfs-mode';
