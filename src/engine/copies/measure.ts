import { createHash } from 'node:crypto';
import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../../errors.ts';

export interface Measure {
  files: number;
  bytes: number;
  /** Of names, kinds, sizes and times: changes when one of them does. */
  digest: string;
}

/**
 * How much a file or folder of this host is. A link is followed where it is the one that is named.
 *
 * @throws NestError `not-found`, `invalid-input` for what cannot be copied or is too much.
 */
export async function measure(source: string): Promise<Measure> {
  const operation = `copy \`${source}\` of this host`;
  const top = await stat(source).catch((cause: unknown) => {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new NestError(
      'not-found',
      `${operation}: ${code === 'ENOENT' ? 'there is no such file or folder' : message}`,
      {
        hint: 'make it first; or use a volume, which needs no files here',
        cause,
      },
    );
  });
  if (!top.isFile() && !top.isDirectory())
    throw new NestError('invalid-input', `${operation}: it is neither a file nor a folder`, {
      hint: 'sockets and devices of the host stay on the host',
    });
  const hash = createHash('sha256');
  const sum = { files: 0, bytes: 0 };
  const add = async (file: string, name: string): Promise<void> => {
    const found = name === '' ? top : await lstat(file);
    hash.update(
      `${name}\0${found.mode} ${found.isFile() ? found.size : 0} ${found.isDirectory() ? 0 : found.mtimeMs}\n`,
    );
    sum.files += 1;
    sum.bytes += found.isFile() ? found.size : 0;
    if (sum.files > FILES_LIMIT || sum.bytes > BYTES_LIMIT)
      throw new NestError('invalid-input', `${operation}: more than 256 MiB or 100,000 files`, {
        hint: 'put them into a volume: nest run -v NAME:/PATH, nest cp',
      });
    if (found.isDirectory())
      for (const child of (await readdir(file)).sort()) await add(path.join(file, child), `${name}/${child}`);
  };
  await add(source, '');
  return { ...sum, digest: hash.digest('hex') };
}

const BYTES_LIMIT = 256 * 1024 ** 2;
const FILES_LIMIT = 100_000;
