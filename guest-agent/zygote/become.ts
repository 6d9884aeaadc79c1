import { becomeUser } from '../security/capabilities.ts';
import { allowOpenFiles, OPEN_FILES } from '../security/open-files.ts';
import { PR_SET_NO_NEW_PRIVS } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { execute } from './execute.ts';
import { announceReady } from './report.ts';
import type { ContainerInit, ExecInit } from './protocol.ts';

type ProcessInit = Omit<ContainerInit | ExecInit, 'container'>;

/**
 * The last steps of a container's first process and of a further one alike, inside the container's namespaces and root and
 * with its streams: gives up every right that is not the container's, then becomes the program. Returns only as an error.
 *
 * @param ignoredSignals those that this process ignores, which execve would keep
 */
export function becomeProcess(sys: Sys, init: ProcessInit, ignoredSignals: number[]): void {
  enterWorkingFolder(sys, init.cwd);
  sys.setsid();
  sys.umask(0o022);
  allowOpenFiles(sys, OPEN_FILES);
  sys.resetSignals(ignoredSignals);
  if (init.noNewPrivileges) sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
  becomeUser(sys, init);
  announceReady(sys);
  execute(sys, init.argv, init.env);
}

/**
 * No folder outside the root is open any more, so that a path like /proc/self/fd/7 leads nowhere: CVE-2024-21626. The
 * kernel's own answer confirms it: getcwd fails in a folder that cannot be reached from the root.
 */
function enterWorkingFolder(sys: Sys, path: string): void {
  sys.chdir(path);
  sys.getcwd();
}
