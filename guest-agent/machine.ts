import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MS_NOATIME, O_CLOEXEC, O_WRONLY } from './sys/constants.ts';
import { flushVolume } from './rootfs/volume.ts';
import type { Sys } from './sys/sys.ts';
import { unless } from './sys/system-error.ts';

/** What makes this guest differ from every other one that was cloned from the same template. */
export interface Machine {
  /** Mixes the bytes into the kernel's entropy and makes it draw a new key from all that it has: random(4). */
  feedEntropy(bytes: Uint8Array): void;
  /** @param milliseconds since 1970 */
  setClock(milliseconds: number): void;
  setHostname(name: string): void;
  /** @param id 32 hex digits: machine-id(5) */
  writeMachineId(id: string): void;
  /** Mounts the guest's own disk; one that is mounted stays. */
  mountState(folder: string): void;
  /** Resolves when all that was written is on the disk. */
  syncState(folder: string): Promise<void>;
  /** Of this boot. The kernel chooses it when it is first read: a template must not read it. */
  bootId(): string;
  /** Has init end everything, unmount the disk and turn the machine off. */
  powerOff(): void;
}

/** The machine itself; needs root. */
export function openMachine(sys: Sys): Machine {
  return {
    feedEntropy(bytes) {
      const device = sys.open('/dev/random', O_WRONLY | O_CLOEXEC);
      try {
        sys.write(device, bytes);
        sys.ioctl(device, RNDRESEEDCRNG, Buffer.alloc(8));
      } finally {
        sys.close(device);
      }
    },
    setClock: (milliseconds) => sys.setClock(milliseconds),
    setHostname: (name) => void sys.sethostname(name),
    writeMachineId(id) {
      writeFileSync(`${MACHINE_ID}.new`, `${id}\n`, { mode: 0o444 });
      renameSync(`${MACHINE_ID}.new`, MACHINE_ID);
    },
    mountState(folder) {
      mkdirSync(folder, { recursive: true });
      if (statSync(folder).dev !== statSync(dirname(folder)).dev) return;
      const mount = (options: string) => sys.mount(STATE_DISK, folder, 'ext4', MS_NOATIME, options);
      // A disk that was formatted without quotas is refused then: src/vm/disk.ts.
      if (unless(['EINVAL'], () => mount('discard,prjquota')) === undefined) mount('discard');
    },
    syncState: flushVolume,
    bootId: () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    powerOff: () => void process.kill(1, isSystemd() ? SIGRTMIN + 4 : 'SIGUSR2'),
  };
}

/** Of a stock image: systemd(1), SIGNALS. Otherwise it is busybox's init, which takes SIGUSR2 for the same. */
function isSystemd(): boolean {
  return readFileSync('/proc/1/comm', 'utf8') === 'systemd\n';
}

/** As glibc counts: it keeps the first two of the kernel's for itself. signal(7) */
const SIGRTMIN = 34;
/** Third virtio disk of the domain: src/libvirt/domain-xml.ts. */
const STATE_DISK = '/dev/vdc';
/** /etc/machine-id points here. */
const MACHINE_ID = '/run/machine-id';
/** _IO('R', 0x07), include/uapi/linux/random.h */
const RNDRESEEDCRNG = 0x5207;
