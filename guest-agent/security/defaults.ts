/**
 * What a container may do and see by default: the sets that Docker and Podman use, capabilities(7).
 *
 * CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP
 */
export const DEFAULT_CAPABILITIES = 'a80425fb';

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

/** What every container gets before it is known which one it is: zygote/prepare.ts. */
export const SANDBOX = {
  capabilities: DEFAULT_CAPABILITIES,
  maskedPaths: MASKED_PATHS,
  readonlyPaths: READONLY_PATHS,
};
