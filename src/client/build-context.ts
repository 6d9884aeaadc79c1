import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { dockerignore } from '../dockerignore.ts';
import { NestError } from '../errors.ts';

/**
 * A folder as the tar of a build's context, without what `.dockerignore` names. Links are packed as links: the engine
 * follows them inside the context only. Owners are left out, so that the same files make the same context for everyone.
 *
 * @throws NestError `not-found`, `invalid-input`
 */
export async function packContext(folder: string): Promise<Readable> {
  const kind = await stat(folder).catch((cause: unknown) => {
    throw new NestError('not-found', `read build context \`${folder}\`: no such folder`, { cause });
  });
  if (!kind.isDirectory()) throw new NestError('invalid-input', `read build context \`${folder}\`: not a folder`);
  const rules = await readIgnore(folder);
  const isIgnored = dockerignore(rules);
  const hasExceptions = /^\s*!/m.test(rules);
  const { pack: tarPack } = await import('tar-stream');
  const tar = tarPack();
  const add = async (name: string): Promise<void> => {
    const file = path.join(folder, name);
    const stats = await lstat(file);
    const { mode, mtime, size } = stats;
    const header = { name, mode: mode & 0o7777, mtime, uid: 0, gid: 0 };
    if (stats.isDirectory()) {
      // Files of an ignored folder may be excepted; the engine makes the folders above them.
      if (!isIgnored(name)) tar.entry({ ...header, name: `${name}/`, type: 'directory' });
      else if (!hasExceptions) return;
      for (const child of (await readdir(file)).sort()) await add(`${name}/${child}`);
    } else if (isIgnored(name)) return;
    else if (stats.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(file) });
    else if (stats.isFile() && size === 0) tar.entry(header, '');
    else if (stats.isFile())
      // What is written meanwhile does not count: the header has been sent.
      await pipeline(createReadStream(file, { end: size - 1 }), tar.entry({ ...header, size }));
  };
  const fill = async () => {
    for (const name of (await readdir(folder)).sort()) await add(name);
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error as Error));
  return Readable.from(tar);
}

async function readIgnore(folder: string): Promise<string> {
  return readFile(path.join(folder, '.dockerignore'), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
}
