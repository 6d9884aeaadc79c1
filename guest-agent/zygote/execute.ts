import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';

/**
 * Becomes the program `argv[0]`. A name without a slash is looked for in the folders of PATH, in the container's view.
 * Returns only as an error: ENOENT when there is no such program, EACCES when none that was found may be executed.
 */
export function execute(sys: Sys, argv: string[], env: string[]): void {
  search(argv[0] ?? '', env, (path) => sys.execve(path, argv, env));
}

/** The error of `execute` where it can be told beforehand. */
export function checkProgram(sys: Sys, argv: string[], env: string[]): void {
  search(argv[0] ?? '', env, (path) => sys.access(path, X_OK));
}

/** Calls `use` with one path after the other until it is no error. */
function search(name: string, env: string[], use: (path: string) => void): void {
  if (name.includes('/')) {
    use(name);
    return;
  }
  let failure = new SystemError('execve', name, ENOENT);
  for (const folder of name === '' ? [] : searchPath(env)) {
    try {
      use(`${folder}/${name}`);
      return;
    } catch (error) {
      if (!(error instanceof SystemError) || !SEARCH_ON.has(error.errno)) throw error;
      if (error.errno === 'EACCES') failure = error;
    }
  }
  throw failure;
}

/** Only absolute folders: a relative one would have whoever fills the working directory choose the program. */
function searchPath(env: string[]): string[] {
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  return path.split(':').filter((folder) => folder.startsWith('/'));
}

const SEARCH_ON = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ENOENT = 2;
/** access(2) */
const X_OK = 1;
