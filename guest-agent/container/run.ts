import { closeSync } from 'node:fs';
import { basename } from 'node:path';
import { slotPaths } from '../folders.ts';
import type { Cable } from '../network/wiring.ts';
import type { Runtime } from '../runtime.ts';
import { STDOUT } from '../stdio/frame.ts';
import { openInput } from '../stdio/input.ts';
import { openTerminalStreams } from '../stdio/terminal.ts';
import { openUnlogged } from '../stdio/unlogged.ts';
import type { TerminalEnd } from '../zygote/protocol.ts';
import type { Container, Run } from './container.ts';
import { cableOf, closeSlot, removeSlot, type Slot } from './slots.ts';

/** Takes a slot for a new process of the container. */
export function makeRun(
  runtime: Runtime,
  container: Container,
): { run: Run; paths: ReturnType<typeof slotPaths>; cable: Cable | null } {
  const { stdin, limits, devices, network } = container.spec;
  const slot = runtime.slots.take(network?.mode === 'bridge');
  try {
    const paths = slotPaths(runtime.folders, basename(slot.cgroup));
    runtime.kernel.applyLimits(slot.cgroup, limits);
    if (devices?.length)
      runtime.kernel.allowDevices(
        slot.cgroup,
        devices.map(({ source, access }) => ({ path: source, access })),
      );
    if (stdin && container.spec.terminal === undefined) runtime.kernel.mkfifo(paths.stdin, 0o600);
    return { run: openRun(runtime, container, slot), paths, cable: cableOf(runtime.folders, slot) };
  } catch (error) {
    closeSlot(slot);
    removeSlot(runtime, slot.cgroup);
    throw error;
  }
}

export function openRun(runtime: Runtime, container: Container, slot: Slot): Run {
  const { stdin } = slotPaths(runtime.folders, basename(slot.cgroup));
  for (const { unlogged } of slot.outputs) unlogged.connect(container.log, runtime.clock);
  return {
    cgroup: slot.cgroup,
    outputs: slot.outputs,
    // With a terminal it follows, as the terminal does.
    stdin: container.spec.stdin && container.spec.terminal === undefined ? openInput(stdin) : undefined,
    terminal: undefined,
    network: undefined,
  };
}

/** What the terminal shows becomes the log, as stdout. */
export function openRunTerminal(runtime: Runtime, container: Container, run: Run, end: TerminalEnd): void {
  const path = slotPaths(runtime.folders, basename(run.cgroup)).unlogged.terminal;
  const unlogged = openUnlogged(runtime.kernel, path, STDOUT);
  unlogged.connect(container.log, runtime.clock);
  const master = runtime.kernel.openTerminal(end);
  const { fd, capture, input } = openTerminalStreams(master, unlogged.receive, unlogged.buffer);
  run.outputs.push({ capture, unlogged });
  run.terminal = fd;
  if (container.spec.stdin) run.stdin = input;
}

/** The process is gone: takes what it wrote last and closes everything. */
export function closeRun(container: Container, run: Run): void {
  closeSlot(run);
  run.stdin?.destroy();
  if (run.network !== undefined) closeSync(run.network);
  container.log.close();
}
