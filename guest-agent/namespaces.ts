import {
  AF_INET,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWUTS,
  IFF_UP,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from './sys/constants.ts';
import type { Sys } from './sys/sys.ts';

/** The namespaces a process enters by itself: namespaces(7). The PID namespace takes effect in children only. */
const OWN = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;

/** New ones for the calling process. The cgroup it is in becomes the root of its cgroup namespace. */
export const unshareNamespaces = (sys: Sys) => sys.unshare(OWN);

/** Those of the process that `pidfd` is. Root and working directory become that process's root. */
export const joinNamespaces = (sys: Sys, pidfd: number) => sys.setns(pidfd, OWN);

/** A new network namespace has a loopback interface that is down; with it up, 127.0.0.1 and ::1 work: netdevice(7). */
export function bringLoopbackUp(sys: Sys): void {
  const socket = sys.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  sys.ioctl(socket, SIOCSIFFLAGS, LOOPBACK_UP);
  sys.close(socket);
}

/** struct ifreq {char name[16]; short flags; …} */
const LOOPBACK_UP = Buffer.alloc(40);
LOOPBACK_UP.write('lo');
LOOPBACK_UP.writeInt16LE(IFF_UP, 16);
