import { OWN } from '../namespaces.ts';
import { capabilityMask, DEFAULT_CAPABILITIES } from './capability-names.ts';
import type { Sandbox } from '../zygote/protocol.ts';

/** Hidden: they tell about, or change, the kernel that all containers of the guest share. */
export const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

export const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Bytes that /dev/shm may hold, as in Docker. */
const SHM_SIZE = 64 * 1024 * 1024;

/** What every container gets before it is known which one it is: zygote/prepare.ts. */
export const SANDBOX: Sandbox = {
  namespaces: { own: OWN, joined: [] },
  cable: null,
  staged: { shmSize: SHM_SIZE },
  capabilities: capabilityMask(DEFAULT_CAPABILITIES),
  maskedPaths: MASKED_PATHS,
  readonlyPaths: READONLY_PATHS,
};
