import { O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { openReport, reportFailure } from './report.ts';

export interface Launched {
  pid: number;
  /** Readable once the process has ended: pidfd_open(2). */
  pidfd: number;
  /** End of a pipe that says how the child fares: report.ts. */
  status: number;
}

/**
 * Starts a copy of this process that runs `child`, which ends in execve or is an error to report.
 *
 * @param namespaces CLONE_NEW* of the copy
 * @param cgroup folder of the cgroup that the copy is born in
 * @param preserved how many descriptors after the standard streams its program gets
 */
export function launch(sys: Sys, namespaces: number, cgroup: string, child: () => void, preserved = 0): Launched {
  const folder = sys.open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const [status, report] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
  try {
    const { pid, pidfd } = sys.fork(namespaces, folder);
    if (pid === 0) runChild(sys, () => openReport(sys, report, preserved), child);
    return { pid, pidfd, status };
  } catch (error) {
    sys.close(status);
    throw error;
  } finally {
    sys.close(report);
    sys.close(folder);
  }
}

/** Nothing of this may get back into the zygote's loop, whatever happens. */
function runChild(sys: Sys, begin: () => void, child: () => void): void {
  // A system call that fails is often an answer, such as ENOENT; nobody reads its stack, and taking it costs more than the call.
  Error.stackTraceLimit = 0;
  try {
    begin();
    child();
  } catch (error) {
    reportFailure(sys, error);
  } finally {
    sys.exit(FAILED_BEFORE_EXECVE);
  }
}

/** Nobody sees it: the report says more. */
const FAILED_BEFORE_EXECVE = 127;
