import { joinNamespaces } from '../namespaces.ts';
import { boundCapabilities } from '../security/capabilities.ts';
import type { Sys } from '../sys/sys.ts';
import { becomeProcess } from './become.ts';
import type { ExecInit } from './protocol.ts';
import { openInput, openOutputs, ownStdio, type StdioDescriptors, useStdio } from './stdio.ts';

/**
 * Makes the calling process a further one of the container whose first process is `container`. It is in the container's
 * PID namespace and cgroup already, and has one thread. Returns only as an error.
 *
 * From here on the container's processes see this one. They cannot look into it or its open files: it is not dumpable
 * (CVE-2019-5736).
 *
 * @param container pidfd
 */
export function joinContainer(sys: Sys, init: ExecInit, container: number, ignoredSignals: number[]): void {
  const streams: StdioDescriptors = [openInput(sys, init.stdio), ...openOutputs(sys, init.stdio)];
  const stdio = ownStdio(sys, streams, init.uid, init.gid);
  joinNamespaces(sys, container);
  useStdio(sys, stdio);
  boundCapabilities(sys, init.capabilities);
  becomeProcess(sys, init, ignoredSignals);
}
