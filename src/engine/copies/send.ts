import { Readable } from 'node:stream';
import { packFile } from '../../../guest-agent/tar/pack.ts';
import type { Progress } from '../../progress.ts';
import { sendArchive } from '../containers/copy.ts';
import type { Context } from '../context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { measure } from './measure.ts';

/**
 * Sends a container that is about to be created the files of this host that it is to have. They are its own copies: what
 * changes here later does not show there, nor the other way round.
 */
export async function sendCopies(
  ctx: Context,
  guestId: string,
  { id, name, copies }: ContainerRecord,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  for (const [index, { source, destination }] of copies.entries()) {
    const { files, bytes } = await measure(source);
    const how = `${files === 1 ? '1 file' : `${files} files`}, ${size(bytes)}`;
    await progress.step(`Copying ${source} to ${name}:${destination} (${how})`, async () => {
      const { guests } = await ctx.link.running(guestId);
      const archive = Readable.from(packFile(source, 'content', { followLink: true, owners: true }), {
        objectMode: false,
      });
      const path = `/v1/copies/${id}/${index}`;
      await sendArchive(guests.trunk(guestId), { path, what: `container \`${name}\``, archive, signal });
    });
  }
}

const size = (bytes: number) =>
  bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;
