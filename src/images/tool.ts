import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NestError } from '../errors.ts';

/** The programs this room runs, each with its Debian package. */
const TOOLS = { skopeo: 'skopeo', sqfstar: 'squashfs-tools', xz: 'xz-utils', bzip2: 'bzip2' } as const;

export type Tool = keyof typeof TOOLS;

export interface ToolOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Ends the program with SIGKILL. */
  signal?: AbortSignal | undefined;
  input?: Readable;
  onLine?: (line: string) => void;
  onOutput?: (chunk: Buffer) => void;
}

/** A program that ran and failed. The caller knows what its words mean. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed';
  readonly stderr: string;

  constructor(tool: string, status: string, stderr: string) {
    super(`${tool} ${status}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    this.stderr = stderr;
  }
}

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to stderr, at most 64 KiB.
 * @throws NestError `tool-missing` naming the package, ToolFailed, or the error of `input`.
 */
export async function runTool(tool: Tool, args: string[], options: ToolOptions = {}): Promise<string> {
  const { cwd, env = process.env, signal, input, onLine, onOutput } = options;
  signal?.throwIfAborted();
  const child = spawn(tool, args, { cwd, env, stdio: ['pipe', onLine || onOutput ? 'pipe' : 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  try {
    await once(child, 'spawn').catch((error: unknown) => {
      throw missing(tool, error);
    });
    if (onLine && child.stdout) createInterface(child.stdout).on('line', onLine);
    if (onOutput) child.stdout?.on('data', onOutput);
    const stderr = collect(child);
    const [fed, [code, killedBy]] = await Promise.all([
      feed(child, input),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    signal?.throwIfAborted();
    // A program that ends early breaks the pipe; its own words explain more than EPIPE does.
    if (fed !== undefined && !isBrokenPipe(fed)) throw fed;
    if (code !== 0) throw new ToolFailed(tool, killedBy ? `was ended by ${killedBy}` : `failed`, stderr());
    if (fed !== undefined) throw fed;
    return stderr();
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
  }
}

/** Hands `input` to the program; never rejects, but resolves with the error, if any, so that the program's end is awaited all the same. */
export async function feed({ stdin }: ChildProcess, input?: Readable): Promise<Error | undefined> {
  if (!stdin) return undefined;
  if (!input) return void stdin.end();
  try {
    await pipeline(input, stdin);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function collect({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < MAX_STDERR) text += chunk.slice(0, MAX_STDERR - text.length);
  });
  return () => text;
}

/** What the error of a program that could not be started means. */
export function missing(tool: Tool, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return cause;
  return new NestError('tool-missing', `run \`${tool}\`: the program is not installed`, {
    hint: `Install it: apt-get install ${TOOLS[tool]}`,
    cause,
  });
}

export function isBrokenPipe(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
}

const MAX_STDERR = 64 * 1024;
