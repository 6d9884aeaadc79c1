import { join } from 'node:path';
import { type HealthCheck, type HealthReport, PROBE_OUTPUT_LIMIT } from '../api.ts';
import type { Container, Run } from '../container/container.ts';
import { addExec, removeExec } from '../container/exec.ts';
import { launchExec } from '../container/exec-start.ts';
import { stdioPaths } from '../folders.ts';
import { randomHex } from '../random.ts';
import type { Runtime } from '../runtime.ts';
import { captureFifo } from '../stdio/capture.ts';

export type Probe = HealthReport['log'][number];

/**
 * Runs the check once, in a cgroup inside the container's: under its limits, and when time is up all that the probe started
 * is killed with it, and nothing else.
 */
export async function probe(
  runtime: Runtime,
  container: Container & { run: Run },
  { argv, timeout }: HealthCheck,
): Promise<Probe> {
  const { clock, kernel } = runtime;
  const { id, env, cwd, user } = container.spec;
  const start = clock.now();
  const output = boundedText();
  const cgroup = probeCgroup(container.run);
  const ended = Promise.withResolvers<void>();
  const exec = addExec(runtime, { id: randomHex(32), container: id, spec: undefined });
  exec.ended = ended.resolve;
  const late = new AbortController();
  try {
    kernel.makeCgroup(cgroup);
    await exec.inTurn(() =>
      launchExec(runtime, exec, {
        spec: { argv, env, cwd, user, stdin: false },
        cgroup,
        open: (folder) => output.open(folder),
      }),
    );
    const cancel = clock.after(timeout, () => {
      late.abort();
      kernel.killCgroup(cgroup);
    });
    await ended.promise;
    cancel();
    if (!late.signal.aborted)
      return { start, end: clock.now(), exitCode: exec.state.exitCode ?? -1, output: output.text() };
    const excess = `Health check exceeded timeout (${timeout / 1000}s)`;
    const said = output.text();
    return { start, end: clock.now(), exitCode: -1, output: said === '' ? excess : `${excess}: ${said}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { start, end: clock.now(), exitCode: -1, output: reason.slice(0, PROBE_OUTPUT_LIMIT) };
  } finally {
    removeExec(runtime, exec);
  }
}

/** Ends a probe that outlived the agent that started it. */
export function endProbes(runtime: Runtime, run: Run): void {
  runtime.kernel.killCgroup(probeCgroup(run));
}

const probeCgroup = ({ cgroup }: Run) => join(cgroup, 'health');

/** Both streams as they come, the rest is read and dropped: a probe never waits for its reader. */
function boundedText() {
  const kept: Buffer[] = [];
  let size = 0;
  const receive = (chunk: Buffer) => {
    // The chunk's memory is used again.
    const part = Buffer.from(chunk.subarray(0, PROBE_OUTPUT_LIMIT - size));
    size += part.length;
    kept.push(part);
  };
  return {
    open(folder: string) {
      const { stdout, stderr } = stdioPaths(folder);
      const captures = [captureFifo(stdout, receive), captureFifo(stderr, receive)];
      return {
        begin() {},
        finish() {
          for (const capture of captures) capture.finish();
        },
      };
    },
    text: () => Buffer.concat(kept).toString('utf8'),
  };
}
