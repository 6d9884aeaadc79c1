import { join } from 'node:path';
import { O_CLOEXEC, O_RDONLY, POLLPRI } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * Waits, and this thread with it, until cgroup.events has the line: the kernel reports a change of it as POLLPRI to those
 * who have read it. cgroup-v2.rst, "[Un]populated".
 *
 * @param milliseconds longest wait for each change; false when it passed
 */
export function waitForEvent(sys: Sys, folder: string, line: string, milliseconds: number): boolean {
  const path = join(folder, 'cgroup.events');
  const events = Buffer.alloc(128);
  for (;;) {
    // Opened anew each time: there is no seek here, and nothing else reads it from the start.
    const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
    try {
      sys.read(fd, events.fill(0));
      if (events.includes(line)) return true;
      if (!sys.poll(fd, POLLPRI, milliseconds)) return false;
    } finally {
      sys.close(fd);
    }
  }
}
