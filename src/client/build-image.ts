import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { BuildRequest } from '../api.ts';
import { NestError } from '../errors.ts';
import { packContext } from './build-context.ts';
import { toMap } from './docker-values.ts';

export interface BuildFlags {
  /** Folder, or `-` for a tar on stdin. */
  context: string;
  /** Dockerfile; `-` is stdin. */
  file: string | undefined;
  tag: string[];
  /** NAME=VALUE; NAME alone passes one's own. */
  'build-arg': string[];
  label: string[];
  /** `id=ID,src=FILE`, `id=ID,env=NAME`. */
  secret: string[];
  target: string | undefined;
  'no-cache': boolean;
  pull: BuildRequest['pull'];
}

/** What a build needs, read from the disk. @throws NestError `not-found`, `invalid-input` */
export async function readBuild(flags: BuildFlags): Promise<{ request: BuildRequest; context: Readable }> {
  const { context, file, tag, label, target = null, pull } = flags;
  const name = file ?? path.join(context, 'Dockerfile');
  const request: BuildRequest = {
    dockerfile: { name: shownName(name, context), text: await readText(name) },
    tags: tag,
    buildArgs: buildArgs(flags['build-arg'], process.env),
    target,
    noCache: flags['no-cache'],
    pull,
    labels: toMap(label),
    secrets: Object.fromEntries(await Promise.all(flags.secret.map(readSecret))),
  };
  return { request, context: await packContext(context) };
}

function buildArgs(pairs: string[], env: NodeJS.ProcessEnv): Record<string, string> {
  const own = [...pairs, ...(env['SOURCE_DATE_EPOCH'] === undefined ? [] : ['SOURCE_DATE_EPOCH'])];
  const entries = own.flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    const value = at === -1 ? env[pair] : pair.slice(at + 1);
    return value === undefined ? [] : [[at === -1 ? pair : pair.slice(0, at), value]];
  });
  return Object.fromEntries(entries.reverse());
}

async function readSecret(secret: string): Promise<[id: string, base64: string]> {
  const fields = toMap(secret.split(',').filter((field) => field !== 'type=file' && field !== 'type=env'));
  const { id, env, src = fields['source'] } = fields;
  if (id === undefined)
    throw new NestError('invalid-input', `secret \`${secret}\`: it needs an id`, {
      hint: '--secret id=token,src=FILE',
    });
  const variable = env ?? (src === undefined ? id : undefined);
  if (variable === undefined) return [id, (await readBytes(src ?? '')).toString('base64')];
  const value = process.env[variable];
  if (value === undefined)
    throw new NestError('invalid-input', `secret \`${id}\`: the variable ${variable} is not set`);
  return [id, Buffer.from(value).toString('base64')];
}

async function readText(name: string): Promise<string> {
  const hint = 'Name a folder that has a Dockerfile, or the file itself with --file.';
  return name === '-' ? text(process.stdin) : (await readBytes(name, hint)).toString('utf8');
}

async function readBytes(name: string, hint?: string): Promise<Buffer> {
  return readFile(name).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new NestError('not-found', `read \`${name}\`: no such file`, { ...(hint && { hint }), cause });
    throw cause;
  });
}

function shownName(name: string, context: string): string {
  if (name === '-') return 'Dockerfile';
  const inside = path.relative(context, name);
  return inside.startsWith('..') ? name : inside;
}
