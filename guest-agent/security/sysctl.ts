import { O_CLOEXEC, O_WRONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * Sets a kernel parameter of the calling process's namespaces, through the guest's own /proc: what an image has there
 * decides nothing (CVE-2025-52881).
 *
 * @param name as a path below /proc/sys
 */
export function writeSysctl(sys: Sys, name: string, value: string): void {
  const fd = sys.open(`/proc/sys/${name}`, O_WRONLY | O_CLOEXEC);
  sys.write(fd, Buffer.from(value));
  sys.close(fd);
}

/** `net.ipv4.ip_forward` → net/ipv4/ip_forward, as sysctl(8) reads names; with a slash first they are paths. */
export function sysctlPath(name: string): string {
  const firstDot = name.indexOf('.');
  const firstSlash = name.indexOf('/');
  const isPath = firstSlash >= 0 && (firstDot < 0 || firstSlash < firstDot);
  return isPath ? name : name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}
