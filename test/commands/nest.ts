import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import type { Command } from '@oclif/core/command';
import { endFlagsAtFirstArgument } from '../../src/client/terminal/pass-through.ts';

// Takes a while to load, and a command that takes a while tells what it does.
await import('dockerode');

export interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number;
}

type CommandClass = (new (argv: string[], config: Config) => Command & { _run(): Promise<unknown> }) &
  Pick<typeof Command, 'flags' | 'id'> & { passThrough?: boolean };

/**
 * Runs a command from its source in this process, as `nest WORDS…` would. Tests that use it are serial: it takes over
 * this process's output, environment and exit status.
 */
export async function nest(words: string[], env: Record<string, string>): Promise<Ran> {
  const { command, argv } = await load(words);
  const config = await loadConfig();
  const before = { ...process.env };
  const restore = [capture(process.stdout), capture(process.stderr)];
  // Whoever runs the tests may have settings of their own.
  const foreign = Object.entries(before).filter(([name]) => !name.startsWith('NEST_'));
  process.env = { ...Object.fromEntries(foreign), NODE_ENV: 'production', ...env };
  try {
    await new command(argv, config)._run();
  } finally {
    process.env = before;
  }
  const [stdout = '', stderr = ''] = restore.map((end) => end());
  const exitCode = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { stdout, stderr, exitCode };
}

async function load(words: string[]): Promise<{ command: CommandClass; argv: string[] }> {
  const folder = fileURLToPath(new URL('../../src/commands', import.meta.url));
  const depth = existsSync(path.join(folder, ...words.slice(0, 2)) + '.ts') ? 2 : 1;
  const file = path.join(folder, ...words.slice(0, depth)) + '.ts';
  const { default: command } = (await import(file)) as { default: CommandClass };
  command.id = words.slice(0, depth).join(':');
  const rest = words.slice(depth);
  return { command, argv: command.passThrough ? endFlagsAtFirstArgument(rest, command.flags) : rest };
}

/** The part of package.json that commands see; without its folder of compiled commands. */
async function loadConfig(): Promise<Config> {
  const root = await mkdtemp(path.join(tmpdir(), 'nest-cli-'));
  const manifest = { name: 'nest', version: '0.0.0', oclif: { bin: 'nest', dirname: 'nest', topicSeparator: ' ' } };
  await writeFile(path.join(root, 'package.json'), JSON.stringify(manifest));
  const config = await Config.load(root);
  await rm(root, { recursive: true });
  return config;
}

/** Takes over a stream; returns the function that gives it back with what was written. */
function capture(stream: NodeJS.WriteStream): () => string {
  const chunks: Buffer[] = [];
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    chunks.push(Buffer.from(chunk as Uint8Array));
    const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined;
    done?.();
    return true;
  };
  return () => {
    stream.write = write;
    return Buffer.concat(chunks).toString();
  };
}
