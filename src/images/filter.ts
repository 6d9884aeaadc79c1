import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { missing, type Tool } from './tool.ts';

/**
 * What a program that decompresses makes of `source`; closing the result early ends it.
 *
 * @throws MalformedTar when it cannot make sense of the data, NestError `tool-missing`, else the source's error
 */
export async function* filtered(source: AsyncIterable<Buffer>, tool: Tool, args: string[]): AsyncGenerator<Buffer> {
  const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  try {
    await once(child, 'spawn').catch((error: unknown) => {
      throw missing(tool, error);
    });
    // A program that finds damage ends early: its exit code says so, not the broken pipe.
    const fed = pipeline(Readable.from(source, { objectMode: false }), child.stdin);
    fed.catch(() => undefined);
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = await closed;
    if (code !== 0) throw new MalformedTar(`compressed data is damaged, says ${tool}`);
    await fed;
  } finally {
    child.kill('SIGKILL');
  }
}
