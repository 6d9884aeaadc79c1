import { closeSync } from 'node:fs';
import { report } from '../errors.ts';
import { containerFolders, stdioPaths } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { captureFifo } from '../stdio/capture.ts';
import { makeFifos, removeFifos } from '../stdio/fifos.ts';
import { type OutputStream, STDERR, STDOUT } from '../stdio/frame.ts';
import { openInput } from '../stdio/input.ts';
import type { Stdio } from '../zygote/protocol.ts';
import type { Container, Run } from './container.ts';

/** Makes FIFOs and cgroup for a new process of the container. */
export function makeRun(runtime: Runtime, container: Container): { run: Run; stdio: Stdio } {
  const { id, stdin, limits } = container.spec;
  const { runtime: folder } = containerFolders(runtime.folders, id);
  const stdio = makeFifos(folder, stdin, (path, mode) => runtime.kernel.mkfifo(path, mode));
  return { run: openRun(runtime, container, runtime.kernel.createCgroup(id, limits)), stdio };
}

/** Opens the agent's ends of the FIFOs that exist: of a new process, or of one that outlived an earlier agent. */
export function openRun(runtime: Runtime, container: Container, cgroup: string): Run {
  const paths = stdioPaths(containerFolders(runtime.folders, container.spec.id).runtime);
  const log = (stream: OutputStream) => (chunk: Buffer) => container.log.append(runtime.clock.now(), stream, chunk);
  return {
    cgroup,
    captures: [captureFifo(paths.stdout, log(STDOUT)), captureFifo(paths.stderr, log(STDERR))],
    stdin: container.spec.stdin ? openInput(paths.stdin) : undefined,
    network: undefined,
  };
}

/** The process is gone: takes what it wrote last and closes everything. */
export function closeRun(container: Container, run: Run): void {
  for (const capture of run.captures) capture.finish();
  run.stdin?.destroy();
  if (run.network !== undefined) closeSync(run.network);
  container.log.close();
}

/** Removes FIFOs and cgroup, also when there are none. A cgroup that stays is found again by the next start. */
export function removeRun(runtime: Runtime, id: string, cgroup: string): void {
  removeFifos(containerFolders(runtime.folders, id).runtime);
  try {
    runtime.kernel.removeCgroup(cgroup);
  } catch (error) {
    report(`remove the cgroup of container \`${id}\``, error);
  }
}
