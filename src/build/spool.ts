import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { semaphore } from '../semaphore.ts';

/** Files' bytes, one after another in one file of the work folder. */
export interface Spool extends AsyncDisposable {
  write(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Spooled>;
}

export interface Spooled {
  size: number;
  /** SHA-256 of the bytes, hex. */
  digest: string;
  read(): AsyncGenerator<Buffer>;
}

export async function openSpool(path: string): Promise<Spool> {
  const file = await open(path, 'wx+', 0o600);
  let end = 0;
  const inTurn = semaphore(1);
  return {
    write: (body) => inTurn(() => append(body)),
    [Symbol.asyncDispose]: () => file.close(),
  };

  async function append(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Spooled> {
    const offset = end;
    const hash = createHash('sha256');
    for await (const chunk of body) {
      hash.update(chunk);
      await file.write(chunk, 0, chunk.length, end);
      end += chunk.length;
    }
    const size = end - offset;
    return { size, digest: hash.digest('hex'), read: () => readPart(file, offset, size) };
  }
}

/** All bytes of a small file. */
export async function readWhole(spooled: Spooled): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of spooled.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* readPart(file: FileHandle, offset: number, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const buffer = Buffer.alloc(Math.min(CHUNK, size - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset + at);
    if (bytesRead === 0) throw new Error('the build’s work file was cut');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const CHUNK = 256 * 1024;
