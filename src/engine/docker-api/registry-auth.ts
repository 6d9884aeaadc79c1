import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { parseReference } from '../../images/images.ts';
import type { Call } from '../http/route.ts';

/**
 * The credentials of a request's X-Registry-Auth header, as an auth.json for the one registry (containers-auth.json(5)).
 * Without any, undefined: then those that the user has stored apply.
 *
 * @param folder makes a folder that goes when the request has ended
 * @throws NestError `invalid-input`
 */
export async function registryAuth(
  { body }: Call,
  reference: string,
  folder: () => Promise<string>,
): Promise<string | undefined> {
  const header = body.headers['x-registry-auth'];
  if (typeof header !== 'string' || header === '') return undefined;
  const parsed = v.safeParse(Credentials, Buffer.from(header, 'base64').toString('utf8') || '{}');
  if (!parsed.success) throw new NestError('invalid-input', 'header `X-Registry-Auth`: not credentials in base64');
  const { username, password, identitytoken } = parsed.output;
  if (identitytoken === '' && username === '') return undefined;
  const [registry = ''] = parseReference(reference).repository.split('/');
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const entry = identitytoken === '' ? { auth } : { auth, identitytoken };
  const file = path.join(await folder(), 'auth.json');
  await writeFile(file, JSON.stringify({ auths: { [registry]: entry } }), { mode: 0o600 });
  return file;
}

const Credentials = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    username: v.optional(v.string(), ''),
    password: v.optional(v.string(), ''),
    identitytoken: v.optional(v.string(), ''),
  }),
);
