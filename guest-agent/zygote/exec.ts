import { joinNamespaces, OWN } from '../namespaces.ts';
import { boundCapabilities } from '../security/capabilities.ts';
import { adjustOomScore } from '../security/resource-limits.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { becomeProcess } from './become.ts';
import { type Gates, NO_GATES } from './gates.ts';
import type { ExecInit } from './protocol.ts';
import { openInput, openOutputs, ownStdio, type StdioDescriptors, useStdio } from './stdio.ts';
import { openTerminal } from './terminal.ts';

/**
 * Makes the calling process a further one of the container whose first process is `container`. It is in the container's
 * PID namespace and cgroup already, and has one thread. Returns only as an error.
 *
 * From here on the container's processes see this one. They cannot look into it or its open files: it is not dumpable
 * (CVE-2019-5736).
 *
 * @param container pidfd
 * @param namespaces CLONE_NEW* that the container has for itself
 */
export function joinContainer(
  sys: Sys,
  init: ExecInit,
  container: number,
  ignoredSignals: number[],
  namespaces = OWN,
  gates: Gates = NO_GATES,
): void {
  gates.born();
  if (init.options.oomScoreAdj !== undefined) adjustOomScore(sys, init.options.oomScoreAdj);
  const streams: StdioDescriptors = [openInput(sys, init.stdio), ...openOutputs(sys, init.stdio)];
  const stdio = ownStdio(sys, streams, init.uid, init.gid);
  joinNamespaces(sys, container, namespaces);
  gates.created();
  useStdio(sys, 'rows' in init.stdio ? terminalOf(sys, init.stdio, init, gates.console) : stdio, init.stdio, gates);
  boundCapabilities(sys, init.capabilities.bounding);
  becomeProcess(sys, init, ignoredSignals, gates);
}

function terminalOf(sys: Sys, size: { rows: number; columns: number }, user: ExecInit, console: number) {
  const root = sys.open('/', O_PATH | O_DIRECTORY | O_CLOEXEC);
  return openTerminal(sys, root, size, user, console);
}
