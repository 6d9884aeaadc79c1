import { becomeUser } from '../security/capabilities.ts';
import { limitResources } from '../security/resource-limits.ts';
import { PR_SET_NO_NEW_PRIVS, TIOCSCTTY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { checkProgram, execute } from './execute.ts';
import type { Gates } from './gates.ts';
import { announceReady } from './report.ts';
import type { ProcessInit } from './protocol.ts';

/**
 * The last steps of a container's first process and of a further one alike, inside the container's namespaces and root and
 * with its streams: gives up every right that is not the container's, then becomes the program. Returns only as an error.
 *
 * @param ignoredSignals those that this process ignores, which execve would keep
 */
export function becomeProcess(sys: Sys, init: ProcessInit, ignoredSignals: number[], gates: Gates): void {
  const { seccomp, noNewPrivileges, options } = init;
  enterWorkingFolder(sys, init.cwd);
  sys.setsid();
  if ('rows' in init.stdio) sys.ioctlNumber(0, TIOCSCTTY, 0);
  sys.umask(options.umask ?? DEFAULT_UMASK);
  limitResources(sys, options.rlimits ?? []);
  schedule(sys, init);
  sys.resetSignals(ignoredSignals);
  if (noNewPrivileges) sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
  // Without no_new_privs the kernel takes a filter from CAP_SYS_ADMIN alone, which goes with the next steps.
  const filter = seccomp === null ? undefined : Buffer.from(seccomp.program, 'base64');
  const install = () => filter !== undefined && sys.installSeccomp(filter, seccomp?.flags ?? 0);
  if (!noNewPrivileges) install();
  becomeUser(sys, init, init.capabilities);
  if (gates.kept > 0) checkProgram(sys, init.argv, init.env); // Who waits for a start is told now.
  announceReady(sys);
  gates.start();
  if (noNewPrivileges) install();
  execute(sys, init.argv, init.env);
}

function schedule(sys: Sys, { options }: ProcessInit): void {
  const { personality, scheduler, ioPriority } = options;
  if (personality !== undefined) sys.personality(personality);
  if (scheduler !== undefined) sys.schedule(Buffer.from(scheduler, 'base64'));
  if (ioPriority !== undefined) sys.setIoPriority(ioPriority);
}

/**
 * No folder outside the root is open any more, so that a path like /proc/self/fd/7 leads nowhere: CVE-2024-21626. The
 * kernel's own answer confirms it: getcwd fails in a folder that cannot be reached from the root.
 */
function enterWorkingFolder(sys: Sys, path: string): void {
  sys.chdir(path);
  sys.getcwd();
}

const DEFAULT_UMASK = 0o022;
