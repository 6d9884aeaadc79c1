import type { ServiceMount } from '../model.ts';
import { parseFlag } from './settings.ts';
import { parseAbsolutePath, parseVolumeName } from './names.ts';
import { Invalid, quoted } from './problems.ts';
import { parseBytes } from './quantities.ts';
import { fields, guarded, type Reader, scalar } from './read.ts';

/** An entry of a service's `volumes`: `data:/path[:ro]`, `./file:/path[:ro]`, `/path`, or a map. A volume is named as in the file. */
export const mountReader: Reader<ServiceMount> = (value, problems) => {
  if (value.kind !== 'map') return SHORT(value, problems);
  const read = LONG(value, problems);
  // What is wrong has been told.
  if (read === undefined || ['type', 'target', 'source'].some((key) => value.entries.has(key) && !(key in read)))
    return undefined;
  return guarded(value, problems, () => longMount(read));
};

/** https://github.com/compose-spec/compose-spec/blob/main/05-services.md#short-syntax-5 */
export function parseShortMount(text: string): ServiceMount {
  const [source = '', target, options = '', ...more] = text.split(':');
  if (more.length > 0 || source === '') throw new Invalid(`${quoted(text)} is no mount`, ADVICE);
  if (target === undefined) return volume(null, parseTarget(source));
  const words = options.split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !['ro', 'rw', 'nocopy', 'z', 'Z'].includes(word));
  if (unknown !== undefined) throw new Invalid(`option ${quoted(unknown)} is unknown`, 'write ro, rw or nocopy');
  const readOnly = words.includes('ro');
  if (isPath(source)) return { type: 'bind', source: parseHostPath(source), target: parseTarget(target), readOnly };
  return volume(parseVolumeName(source), parseTarget(target), readOnly, words.includes('nocopy'));
}

const SHORT = scalar('a mount', parseShortMount);

const LONG = fields({
  type: scalar('a type', parseType),
  source: scalar('a name', (text) => text),
  target: scalar('a path', parseTarget),
  read_only: scalar('true or false', parseFlag),
  consistency: scalar('a word', (text) => text),
  bind: fields({ create_host_path: scalar('true or false', parseFlag) }),
  volume: fields({ nocopy: scalar('true or false', parseFlag) }),
  tmpfs: fields({ size: scalar('a size', parseBytes), mode: scalar('a mode', parseMode) }),
});

function longMount(read: NonNullable<ReturnType<typeof LONG>>): ServiceMount {
  const { target, source, read_only: readOnly = false } = read;
  if (read.type === undefined || target === undefined) throw new Invalid('has no type or no target', 'write both');
  if (read.type === 'tmpfs')
    return { type: 'tmpfs', target, readOnly, size: read.tmpfs?.size ?? null, mode: read.tmpfs?.mode ?? null };
  if (read.type === 'bind') return { type: 'bind', source: parseHostPath(source ?? ''), target, readOnly };
  return volume(source === undefined ? null : parseVolumeName(source), target, readOnly, read.volume?.nocopy);
}

function parseType(text: string): 'volume' | 'bind' | 'tmpfs' {
  if (text === 'volume' || text === 'bind' || text === 'tmpfs') return text;
  throw new Invalid(`${quoted(text)} is no type of mount`, 'write volume, bind or tmpfs');
}

function parseTarget(text: string): string {
  const path = parseAbsolutePath(text);
  if (/^\/+((proc|sys)(\/|$))|^\/+$/.test(path))
    throw new Invalid(`${quoted(text)} cannot be mounted on`, 'choose a path outside of /proc and /sys');
  return path;
}

/** Permission bits as YAML has them: octal, or decimal. */
function parseMode(text: string): number {
  const mode = /^0o?[0-7]{1,4}$/.test(text) ? Number.parseInt(text.replace('o', ''), 8) : Number(text);
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return mode;
  throw new Invalid(`${quoted(text)} is no mode`, 'write permission bits, such as 0o1777');
}

const isPath = (source: string) => /^[/.~]/.test(source);

function parseHostPath(text: string): string {
  if (/^(\/|\.{1,2}(\/|$))/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no path of the host`, 'begin it with / or ./');
}

function volume(source: string | null, target: string, readOnly = false, noCopy = false): ServiceMount {
  return { type: 'volume', source, target, readOnly, noCopy };
}

const ADVICE = 'write VOLUME:/path, ./FILE:/path, each with :ro where it is only read, or /path';
