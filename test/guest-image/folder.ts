import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

/** A temporary folder with these files, removed after the test. */
export async function folderOf(t: ExecutionContext, files: Record<string, string | Buffer> = {}): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-guest-image-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}
