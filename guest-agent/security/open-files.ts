import { RLIMIT_NOFILE } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/** What systemd, and with it Docker, gives to services. Soft is what select(2) can take. */
export const OPEN_FILES = { soft: 1024, hard: 524_288 };

/** How many files a process may have open: getrlimit(2). Where raising the limit is not permitted it stays as it is. */
export function allowOpenFiles(sys: Sys, { soft, hard }: { soft: number; hard: number }): void {
  unless(['EPERM'], () => sys.setrlimit(RLIMIT_NOFILE, soft, hard));
}
