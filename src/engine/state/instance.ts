import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';

/**
 * Who this engine is, in a file of its own so that a lost database changes neither: `id` marks the domains that are this
 * engine's; `key` seals what it stores in guests, so that a guest cannot invent containers for it to adopt.
 */
export interface Instance {
  id: string;
  seal(text: string): string;
  /** The sealed text, or undefined when this engine did not seal it. */
  unseal(sealed: string): string | undefined;
}

export async function loadInstance(dataFolder: string): Promise<Instance> {
  const file = path.join(dataFolder, 'instance');
  const { id, key } = (await readInstance(file)) ?? (await makeInstance(file));
  const mac = (text: string) => createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex');
  return {
    id,
    seal: (text) => mac(text) + text,
    unseal(sealed) {
      const text = sealed.slice(MAC_DIGITS);
      const given = Buffer.from(sealed.slice(0, MAC_DIGITS));
      const right = Buffer.from(mac(text));
      return given.length === right.length && timingSafeEqual(given, right) ? text : undefined;
    },
  };
}

async function readInstance(file: string): Promise<InstanceFile | undefined> {
  try {
    return v.parse(InstanceFile, JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeInstance(file: string): Promise<InstanceFile> {
  const instance = { id: randomBytes(16).toString('hex'), key: randomBytes(32).toString('hex') };
  await writeFile(`${file}.new`, JSON.stringify(instance), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return instance;
}

const InstanceFile = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});
type InstanceFile = v.InferOutput<typeof InstanceFile>;

/** HMAC-SHA-256 in hex. */
const MAC_DIGITS = 64;
