import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { feed, isBrokenPipe, missing, type Tool } from './tool.ts';

/**
 * What a program that decompresses makes of `source`; closing the result early ends it.
 *
 * @throws MalformedTar when it cannot make sense of the data, NestError `tool-missing`, else the source's error
 */
export async function* filtered(source: AsyncIterable<Buffer>, tool: Tool, args: string[]): AsyncGenerator<Buffer> {
  const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    await once(child, 'spawn').catch((error: unknown) => {
      throw missing(tool, error);
    });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const feeding = feed(child, Readable.from(source, { objectMode: false }));
    yield* child.stdout as AsyncIterable<Buffer>;
    const [fed, [code]] = await Promise.all([feeding, closed]);
    // A source that breaks off leaves the program with half of the data; one that finds damage ends early, which its exit code says.
    if (fed !== undefined && !isBrokenPipe(fed)) throw fed;
    if (code !== 0) throw new MalformedTar(`compressed data is damaged, says ${tool}`);
    if (fed !== undefined) throw fed;
  } finally {
    child.kill('SIGKILL');
  }
}
