import { closeSync, constants, openSync, type Stats } from 'node:fs';
import type { FileStat } from '../api.ts';
import { invalid } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { tarEnd, tarHeader } from '../tar/writer.ts';
import { packEntry, packFolder, plainEntry } from './archive.ts';
import type { Container } from './container.ts';
import { fileStat, findPlace, withRoot } from './place.ts';
import { unpack } from './unpack.ts';

/** What `path` is, its last link not followed. @throws RequestError 404 */
export function statFile(runtime: Runtime, container: Container, path: string): Promise<FileStat> {
  return withRoot(runtime, container, { path, write: false }, async (root) => {
    const place = findPlace(runtime, root, path);
    try {
      return await Promise.resolve(fileStat(place));
    } finally {
      place.close();
    }
  });
}

/**
 * A file or folder of a container as a tar, under its own name; the contents of a folder that is named by `/.` under `./`.
 *
 * @param send takes the tar, and resolves when all of it was taken
 */
export function copyOut(
  runtime: Runtime,
  container: Container,
  path: string,
  send: (archive: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  return withRoot(runtime, container, { path, write: false }, async (root) => {
    const place = findPlace(runtime, root, path);
    try {
      const { at, name, stats } = place;
      const file = { path: Buffer.from(name).toString('latin1'), at, stats };
      if (!stats.isDirectory()) await send(ended(packEntry(runtime, file)));
      else {
        const top = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
        try {
          await send(ended(folderEntries(runtime, top, file)));
        } finally {
          closeSync(top);
        }
      }
    } finally {
      place.close();
    }
  });
}

/** Unpacks a tar into a folder of a container. @param archive begins it, once the folder was found */
export function copyIn(
  runtime: Runtime,
  container: Container,
  path: string,
  archive: () => AsyncIterable<Buffer>,
): Promise<void> {
  return withRoot(runtime, container, { path, write: true }, async (root) => {
    const place = findPlace(runtime, root, `${path}/`);
    try {
      if (!place.stats.isDirectory()) throw invalid(`copy to \`${path}\`: not a folder`);
      await unpack(runtime.kernel, archive(), { root, folder: Buffer.from(path) });
    } finally {
      place.close();
    }
  });
}

async function* folderEntries(
  runtime: Runtime,
  top: number,
  { path, stats }: { path: string; stats: Stats },
): AsyncGenerator<Buffer> {
  yield tarHeader({ ...plainEntry(stats, 'directory'), name: `${path}/` });
  yield* packFolder(runtime, top, packEntry, `${path}/`);
}

async function* ended(entries: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* entries;
  yield tarEnd();
}
