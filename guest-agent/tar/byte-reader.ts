export interface ByteReader {
  /** At least one and at most `limit` bytes. */
  some(limit: number, where: string): Promise<Buffer>;
  /** Exactly `size` bytes; undefined when the stream has ended before the first. */
  take(size: number, where: string): Promise<Buffer | undefined>;
  skip(size: number, where: string): Promise<void>;
  /** What comes next, as it comes; undefined at the end. */
  next(): Promise<Buffer | undefined>;
  /** Reads the source to its end and forgets what it holds. */
  drain(): Promise<void>;
  /** Ends the source early. */
  close(): Promise<void>;
}

/**
 * Exact and partial reads from a stream of chunks.
 *
 * @param cutShort the error for a source that ends too early; `where` says in the middle of what.
 */
export function byteReader(source: AsyncIterable<Buffer>, cutShort: (where: string) => Error): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  const some = async (limit: number, where: string) => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) throw cutShort(where);
      rest = next.value;
    }
    const part = rest.subarray(0, limit);
    rest = rest.subarray(part.length);
    return part;
  };

  const take = async (size: number, where: string) => {
    while (rest.length < size) {
      const next = await chunks.next();
      if (next.done === true) {
        if (rest.length === 0) return undefined;
        throw cutShort(where);
      }
      rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    }
    const part = rest.subarray(0, size);
    rest = rest.subarray(size);
    return part;
  };

  return {
    some,
    take,
    async skip(size, where) {
      for (let left = size; left > 0;) left -= (await some(left, where)).length;
    },
    async next() {
      const held = rest;
      rest = Buffer.alloc(0);
      if (held.length > 0) return held;
      const next = await chunks.next();
      return next.done === true ? undefined : next.value;
    },
    async drain() {
      rest = Buffer.alloc(0);
      while ((await chunks.next()).done !== true);
    },
    async close() {
      await chunks.return?.();
    },
  };
}
