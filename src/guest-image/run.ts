import { spawn } from 'node:child_process';
import { NestError } from '../errors.ts';

/**
 * Runs a program to its end and returns what it wrote to stdout.
 *
 * @throws NestError `tool-missing` with the Debian package that brings the program; plain Error with the last line of
 * stderr when it fails.
 */
export async function run(command: keyof typeof DEBIAN_PACKAGE, args: string[], options: RunOptions = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    ...options,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing(command) : error));
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args[0] ?? ''}: ${lastLine(output.stderr) ?? `exit status ${code}`}`);
  return output.stdout;
}

interface RunOptions {
  cwd?: string;
  signal?: AbortSignal | undefined;
}

function missing(command: keyof typeof DEBIAN_PACKAGE): NestError {
  return new NestError('tool-missing', `run \`${command}\`: not found`, {
    hint: `Install it: apt-get install ${DEBIAN_PACKAGE[command]}`,
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined;
}

const DEBIAN_PACKAGE = {
  'apt-cache': 'apt',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  mksquashfs: 'squashfs-tools',
  'qemu-img': 'qemu-utils',
};
