import { closeSync } from 'node:fs';
import { basename } from 'node:path';
import { slotPaths } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { openInput } from '../stdio/input.ts';
import type { Container, Run } from './container.ts';
import { closeSlot, removeSlot, type Slot } from './slots.ts';

/** Takes a slot for a new process of the container. */
export function makeRun(runtime: Runtime, container: Container): { run: Run; paths: ReturnType<typeof slotPaths> } {
  const { stdin, limits } = container.spec;
  const slot = runtime.slots.take();
  try {
    const paths = slotPaths(runtime.folders, basename(slot.cgroup));
    runtime.kernel.applyLimits(slot.cgroup, limits);
    if (stdin) runtime.kernel.mkfifo(paths.stdin, 0o600);
    return { run: openRun(runtime, container, slot), paths };
  } catch (error) {
    closeSlot(slot);
    removeSlot(runtime, slot.cgroup);
    throw error;
  }
}

export function openRun(runtime: Runtime, container: Container, slot: Slot): Run {
  const { stdin } = slotPaths(runtime.folders, basename(slot.cgroup));
  slot.receive = (stream, chunk) => container.log.append(runtime.clock.now(), stream, chunk);
  return {
    cgroup: slot.cgroup,
    captures: slot.captures,
    stdin: container.spec.stdin ? openInput(stdin) : undefined,
    network: undefined,
  };
}

/** The process is gone: takes what it wrote last and closes everything. */
export function closeRun(container: Container, run: Run): void {
  closeSlot(run);
  run.stdin?.destroy();
  if (run.network !== undefined) closeSync(run.network);
  container.log.close();
}
