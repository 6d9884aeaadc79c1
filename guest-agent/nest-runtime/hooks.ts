import { spawnSync } from 'node:child_process';
import type { Hook } from '../oci/config.ts';
import { O_CLOEXEC, POLLIN } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import { RuntimeError } from './errors.ts';

/**
 * Runs hooks, one after the other, with the container's state as their input: runtime-spec config.md, "POSIX-platform Hooks".
 *
 * @param failed `ignore`: it is told on stderr and the next one runs; `throw`: none runs after it
 */
export function runHooks(hooks: Hook[] | null | undefined, state: unknown, failed: 'throw' | 'ignore'): void {
  for (const { path, args, env, timeout } of hooks ?? []) {
    const { status, signal, error, stderr } = spawnSync(path, (args ?? []).slice(1), {
      argv0: args?.[0] ?? path,
      env: Object.fromEntries((env ?? []).map((entry) => entry.split(/=(.*)/s, 2) as [string, string])),
      input: JSON.stringify(state),
      timeout: (timeout ?? 0) * 1000,
      encoding: 'utf8',
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    if (status === 0) continue;
    const cause = error?.message ?? (signal === null ? `exit status ${status}` : `ended by ${signal}`);
    const message = `run hook \`${path}\`: ${cause}: ${stderr.slice(0, 1000)}`.replace(/[:\s]+$/, '');
    if (failed === 'throw') throw new RuntimeError(message);
    console.error(`nest-runtime: ${message}`);
  }
}

/**
 * The same in the container's process itself, which has its namespaces and nothing of Node left but this thread: the first
 * hook that fails ends it.
 */
export function runHooksHere(hooks: Hook[] | null | undefined, state: unknown): void {
  for (const hook of hooks ?? []) {
    const [input, feed] = sys.pipe2(O_CLOEXEC);
    const { pid, pidfd } = sys.fork(0, null);
    if (pid === 0) becomeHook(hook, input);
    sys.close(input);
    sys.write(feed, Buffer.from(JSON.stringify(state)));
    sys.close(feed);
    if (!sys.poll(pidfd, POLLIN, hook.timeout ? hook.timeout * 1000 : -1)) sys.sendSignal(pidfd, SIGKILL);
    const { code, signal } = sys.wait(pid, 0) ?? { code: null, signal: null };
    sys.close(pidfd);
    if (code !== 0)
      throw new RuntimeError(
        `run hook \`${hook.path}\`: ${signal === null ? `exit status ${code}` : `ended by signal ${signal}`}`,
      );
  }
}

function becomeHook({ path, args, env }: Hook, input: number): void {
  try {
    sys.dup2(input, 0);
    sys.execve(path, args?.length ? args : [path], env ?? []);
  } finally {
    sys.exit(127);
  }
}

const SIGKILL = 9;
