import { open, readFile, rename, rm } from 'node:fs/promises';
import * as v from 'valibot';
import type { LayerBlob } from './layer-blob.ts';
import { semaphore } from '../semaphore.ts';

/** A step of a build that was done: its result can be taken again. */
export interface CachedStep {
  /** RFC 3339. */
  created: string;
  /** Null: it changed no file. */
  layer: LayerBlob | null;
}

/**
 * What builds have done, by keys that say what it was made from. The file changes by rename after a step's layer is whole
 * and on disk, so that a kill at any point leaves whole entries only.
 */
export interface BuildCache {
  get(key: string): CachedStep | undefined;
  put(key: string, step: CachedStep): Promise<void>;
  /** By their keys. */
  entries(): [key: string, step: CachedStep][];
  /** Of all entries; several may have the same. */
  layers(): LayerBlob[];
  clear(): Promise<void>;
}

export async function openBuildCache(file: string): Promise<BuildCache> {
  let steps = await readSteps(file);
  const inTurn = semaphore(1);
  const change = (next: Map<string, CachedStep>) =>
    inTurn(async () => {
      await write(file, next);
      steps = next;
    });
  await rm(temporary(file), { force: true });
  return {
    get: (key) => steps.get(key),
    put: (key, step) => change(new Map(steps).set(key, step)),
    entries: () => [...steps],
    layers: () => [...steps.values()].flatMap(({ layer }) => layer ?? []),
    clear: () => change(new Map()),
  };
}

/** A cache that cannot be read is empty: all of it can be made again. */
async function readSteps(file: string): Promise<Map<string, CachedStep>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
    throw error;
  });
  const parsed = v.safeParse(Steps, text);
  return new Map(parsed.success ? Object.entries(parsed.output) : []);
}

async function write(file: string, steps: Map<string, CachedStep>): Promise<void> {
  {
    await using handle = await open(temporary(file), 'w', 0o600);
    await handle.writeFile(JSON.stringify(Object.fromEntries(steps)));
    await handle.sync();
  }
  await rename(temporary(file), file);
}

const temporary = (file: string) => `${file}.tmp`;

const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));
const Steps = v.pipe(
  v.string(),
  v.parseJson(),
  v.record(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    v.object({
      created: v.string(),
      layer: v.nullable(v.object({ diffId: digest, digest, size: v.number(), mediaType: v.string() })),
    }),
  ),
);
