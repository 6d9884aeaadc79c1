import type { Duplex, Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { pipeline } from 'node:stream/promises';
import { streamEscaper } from './terminal/escape.ts';

/** Takes the bytes of one stream; `write` resolves when there is room for more. */
export interface Sink {
  write(data: Buffer): Promise<void>;
  end(): Promise<void>;
}

export interface Sinks {
  stdout: Sink;
  stderr: Sink;
}

/** The output's reader has gone (`nest logs -f web | head -1`): the command ends without a word. */
export class ReaderGone extends Error {
  /** 128 + SIGPIPE. */
  readonly exitCode = 141;
}

/** Copies bytes to this process's stdout, which stays open: what ends it is this process's end. */
export async function toStdout(source: Readable, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(source, process.stdout, { signal, end: false });
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'EPIPE';
    throw gone ? new ReaderGone((error as Error).message, { cause: error }) : error;
  }
}

/** This process's stdout and stderr: as they are in a pipe, escaped on a terminal. */
export function ownOutput(): Sinks {
  return { stdout: outputTo(process.stdout), stderr: outputTo(process.stderr) };
}

/** A stream of this process; on a terminal control sequences other than colours are escaped. */
export function outputTo(target: NodeJS.WriteStream): Sink {
  if (!target.isTTY) return { write: (data) => writeTo(target, data), end: () => Promise.resolve() };
  const escaper = streamEscaper();
  return {
    write: (data) => writeTo(target, escaper.push(data)),
    end: () => writeTo(target, escaper.end()),
  };
}

/** Each line as one JSON object on `target`: `{"stream":"stdout","text":"…"}`. */
export function jsonLines(target: NodeJS.WriteStream): Sinks {
  return { stdout: jsonLinesOf('stdout', target), stderr: jsonLinesOf('stderr', target) };
}

function jsonLinesOf(stream: keyof Sinks, target: NodeJS.WriteStream): Sink {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const line = (text: string) => `${JSON.stringify({ stream, text })}\n`;
  return {
    async write(data) {
      const parts = (rest + decoder.write(data)).split('\n');
      rest = parts.pop() ?? '';
      await writeTo(target, parts.map(line).join(''));
    },
    end: () => writeTo(target, rest === '' ? '' : line(rest)),
  };
}

/** Keeps what it gets, up to 8 MiB. */
export class Capture implements Sink {
  /** True when there was more. */
  truncated = false;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  write(data: Buffer): Promise<void> {
    const kept = data.subarray(0, CAPTURE_LIMIT - this.#size);
    this.truncated ||= kept.length < data.length;
    this.#size += kept.length;
    this.#chunks.push(kept);
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

export interface Captured {
  stdout: string;
  stderr: string;
  /** True when there was more output than is kept. */
  truncated: boolean;
}

/** What sinks have kept; nothing when they are no captures. */
export function captured({ stdout, stderr }: Sinks): Partial<Captured> {
  if (!(stdout instanceof Capture && stderr instanceof Capture)) return {};
  return { stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated };
}

/** Feeds this process's stdin to a container and closes the container's when it ends. */
export function sendStdin(stream: Duplex): void {
  pipeline(process.stdin, stream).catch(() => {
    // The container ended before its input did.
  });
}

async function writeTo(target: Writable, data: Buffer | string): Promise<void> {
  if (data.length === 0) return;
  const error = await new Promise<Error | null | undefined>((resolve) => target.write(data, resolve));
  if (error) throw new ReaderGone(error.message, { cause: error });
}

const CAPTURE_LIMIT = 8 * 1024 * 1024;
