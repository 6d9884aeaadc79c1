import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Paths } from '../paths.ts';
import { consoleTail } from './console.ts';
import type { GuestRecord } from './record.ts';

/**
 * Finds out why a guest's QEMU ended, and keeps the console's last lines beyond the guest's own folder.
 *
 * @param known why, where the host knows it
 * @returns the kernel's own words where it panicked, else `known`
 */
export async function autopsy(paths: Paths, record: GuestRecord, known: string): Promise<string> {
  let text = await consoleTail(paths, record.id, LINES);
  if (!PANIC.test(text)) {
    // virtlogd writes what it has read from QEMU a moment after QEMU has ended.
    await delay(SETTLE_MILLISECONDS);
    text = await consoleTail(paths, record.id, LINES);
  }
  await keepLastWords(paths, record, text);
  const words = PANIC.exec(text)?.[1];
  return words === undefined ? known : `its kernel panicked: ${visible(words)}`;
}

/** What `autopsy` kept of the last guest that had this name or id; undefined when there is nothing. */
export async function lastWords(paths: Paths, reference: string): Promise<string | undefined> {
  const kept = (await newestFirst(paths)).find((file) => {
    const [id, ...name] = path.basename(file, '.log').split('.').reverse();
    return reference === id || reference === name.reverse().join('.');
  });
  return kept === undefined ? undefined : readFile(kept, 'utf8');
}

async function keepLastWords(paths: Paths, { name, id }: GuestRecord, text: string): Promise<void> {
  await mkdir(paths.lastWords, { recursive: true, mode: 0o700 });
  await writeFile(path.join(paths.lastWords, `${name}.${id}.log`), text, { mode: 0o600 });
  for (const file of (await newestFirst(paths)).slice(KEPT)) await rm(file, { force: true });
}

async function newestFirst({ lastWords: folder }: Paths): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const files = (await readdir(folder)).map((name) => path.join(folder, name));
  const aged = await Promise.all(files.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })));
  return aged.sort((a, b) => b.at - a.at).map(({ file }) => file);
}

/** A guest's words on somebody's terminal: visible characters, one short line. */
function visible(words: string): string {
  return words
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .slice(0, 120)
    .trim();
}

/** kernel/panic.c */
const PANIC = /Kernel panic - not syncing: (.*)/;
const LINES = 200;
/** Files. */
const KEPT = 50;
const SETTLE_MILLISECONDS = 200;
