import { O_CLOEXEC, O_WRONLY, RLIMIT_NOFILE } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/** What systemd, and with it Docker, gives to services. Soft is what select(2) can take. */
export const OPEN_FILES = { soft: 1024, hard: 524_288 };

/** How many files a process may have open: getrlimit(2). Where raising the limit is not permitted it stays as it is. */
export function allowOpenFiles(sys: Sys, { soft, hard }: { soft: number; hard: number }): void {
  unless(['EPERM'], () => sys.setrlimit(RLIMIT_NOFILE, soft, hard));
}

/**
 * Agent and zygote: what runs in a container is killed before those that keep it. Not -1000, which an OOM in a container's
 * cgroup could not end either: a process is the zygote's copy before it is the container's.
 */
export const KEPT_ALIVE = -999;

/** Who is killed first for want of memory: proc_pid_oom_score_adj(5). Through the guest's own /proc, as no image has it. */
export function adjustOomScore(sys: Sys, score: number): void {
  const fd = sys.open('/proc/self/oom_score_adj', O_WRONLY | O_CLOEXEC);
  sys.write(fd, Buffer.from(String(score)));
  sys.close(fd);
}

/** What a process gets. Open files are limited in any case, since Node has raised its own limit. */
export function limitResources(sys: Sys, limits: { resource: number; soft: number; hard: number }[]): void {
  if (!limits.some(({ resource }) => resource === RLIMIT_NOFILE)) allowOpenFiles(sys, OPEN_FILES);
  for (const { resource, soft, hard } of limits) sys.setrlimit(resource, soft, hard);
}
