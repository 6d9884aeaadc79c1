import { createHash } from 'node:crypto';
import { chmod, chown, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { ProcessOwner } from '../../libvirt/domain-xml.ts';
import type { Paths } from '../../paths.ts';

/**
 * Templates on disk, below `paths.templates`. A folder becomes a template by being renamed to its digest, complete, and
 * never changes; the time of its record is when it was last used.
 */
export interface Template {
  digest: string;
  folder: string;
  /** The guest's memory, mode 0444: guests map it privately. */
  memory: string;
  /** devices.ts */
  devices: string;
  /** The guest's own disk as it is mounted in that memory, a qcow2. */
  disk: string;
}

/** All that a template depends on; two of the same parts are exchangeable. */
export interface TemplateParts {
  /** Changes with what is captured and how, and with everything in the domain but names and paths of one guest. */
  domain: string;
  /** Of QEMU's program. */
  qemu: string;
  /** Of the host's processor, where guests see it. */
  processor: string;
  /** Of the empty disk, which the guest's kernel has read. */
  disk: string;
}

export function templateDigest(parts: TemplateParts): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * The template of this digest, undefined where there is none.
 *
 * @throws Error when it is not as it was captured: whoever may write the memory of one guest could have changed it
 */
export async function findTemplate(paths: Paths, digest: string): Promise<Template | undefined> {
  const template = templateIn(path.join(paths.templates, digest), digest);
  const text = await readFile(recordFile(template.folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const record = v.parse(TemplateRecord, JSON.parse(text));
  for (const name of ['memory', 'disk'] as const) {
    const { size, mtimeMs } = await stat(template[name]);
    if (size !== record[name].size || mtimeMs !== record[name].mtimeMs)
      throw new Error(`\`${template[name]}\` was changed after it was captured`);
  }
  if (sha256(await readFile(template.devices)) !== record.devices)
    throw new Error(`\`${template.devices}\` was changed after it was captured`);
  const now = new Date();
  await utimes(recordFile(template.folder), now, now);
  return template;
}

/**
 * Seals the files in the folder `work` and makes it the template `digest`; one that is there already stays.
 *
 * @param owner whom QEMU runs as when that is not this user
 */
export async function storeTemplate(
  paths: Paths,
  digest: string,
  work: string,
  owner: ProcessOwner | null,
): Promise<Template> {
  const draft = templateIn(work, digest);
  const written = async (file: string) => {
    const { size, mtimeMs } = await stat(file);
    return { size, mtimeMs };
  };
  const [memory, disk] = [await written(draft.memory), await written(draft.disk)];
  const record: TemplateRecord = { memory, disk, devices: sha256(await readFile(draft.devices)) };
  await writeFile(recordFile(work), JSON.stringify(record));
  if (owner) await chown(draft.memory, process.getuid?.() ?? 0, owner.gid);
  for (const file of [draft.memory, draft.devices, draft.disk]) await chmod(file, 0o444);
  const folder = path.join(paths.templates, digest);
  try {
    await rename(work, folder);
  } catch (error) {
    if (!THERE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return templateIn(folder, digest);
}

/** Guests that were cloned from it go on: they have it mapped. */
export async function removeTemplate(paths: Paths, digest: string): Promise<void> {
  await rm(path.join(paths.templates, digest), { recursive: true, force: true });
}

/** Removes all but the KEPT that were used last. */
export async function pruneTemplates(paths: Paths): Promise<void> {
  const digests = (await readdir(paths.templates)).filter((name) => DIGEST.test(name));
  const used = await Promise.all(
    digests.map(async (digest) => ({
      digest,
      at: await stat(recordFile(path.join(paths.templates, digest))).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  const stale = used
    .toSorted((a, b) => b.at - a.at)
    .filter(({ at }, rank) => rank >= KEPT || at < Date.now() - UNUSED_MS);
  for (const { digest } of stale) await removeTemplate(paths, digest);
}

export function templateIn(folder: string, digest: string): Template {
  const file = (name: string) => path.join(folder, name);
  return { digest, folder, memory: file('memory'), devices: file('devices'), disk: file('disk.qcow2') };
}

function recordFile(folder: string): string {
  return path.join(folder, 'template.json');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const Written = v.object({ size: v.number(), mtimeMs: v.number() });
const TemplateRecord = v.object({
  memory: Written,
  disk: Written,
  /** SHA-256. */
  devices: v.string(),
});
type TemplateRecord = v.InferOutput<typeof TemplateRecord>;

const DIGEST = /^[0-9a-f]{64}$/;
const THERE = new Set(['EEXIST', 'ENOTEMPTY']);
/** Templates of so many shapes; each has hundreds of megabytes. */
const KEPT = 8;
const UNUSED_MS = 14 * 24 * 60 * 60 * 1000;
