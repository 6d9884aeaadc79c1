import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Accelerator } from '../api.ts';
import { qemuPid } from './qemu-pid.ts';
import type { GuestShape } from './record.ts';

/** What a guest's QEMU may use of this host at most; null where nothing limits it. */
export interface ProcessLimits {
  /** Bytes. */
  memory: number | null;
  /** Processors. */
  cpus: number | null;
}

/**
 * Has the kernel hold a guest's QEMU to what the guest was promised, and what QEMU itself needs: also one that a guest has
 * taken over. It is written into the cgroup that libvirt made for it, where it made one and this user may.
 *
 * @returns what is in force
 */
export async function limitProcess(
  domain: string,
  { uri, shape, accelerator }: { uri: string; shape: GuestShape; accelerator: Accelerator },
): Promise<ProcessLimits> {
  const memory = shape.memory + OWN_MEMORY + (accelerator === 'tcg' ? TRANSLATED_CODE : 0);
  const quota = (shape.vcpus + OWN_CPUS) * PERIOD;
  const folders = await cgroupFolders(domain, uri);
  await Promise.all([
    set(folders, 'memory', { v1: ['memory.limit_in_bytes', String(memory)], v2: ['memory.max', String(memory)] }),
    set(folders, 'cpu', { v1: ['cpu.cfs_quota_us', String(quota)], v2: ['cpu.max', `${quota} ${PERIOD}`] }),
  ]);
  return processLimits(domain, uri);
}

/** What is in force now. */
export async function processLimits(domain: string, uri: string): Promise<ProcessLimits> {
  const { memory, cpu } = await cgroupFolders(domain, uri);
  const read = async (folder: string | undefined, name: string) =>
    folder === undefined ? undefined : readFile(path.join(folder, name), 'utf8').catch(() => undefined);
  const bytes = Number((await read(memory, 'memory.max')) ?? (await read(memory, 'memory.limit_in_bytes')));
  const [quota, period = PERIOD] = ((await read(cpu, 'cpu.max')) ?? (await read(cpu, 'cpu.cfs_quota_us')) ?? '')
    .split(' ')
    .map(Number);
  return {
    memory: bytes > 0 && bytes < UNLIMITED ? bytes : null,
    cpus: quota !== undefined && quota > 0 ? quota / period : null,
  };
}

/** Folders of the cgroups that are this QEMU's own, by controller: absent where it shares one with other processes. */
interface Folders {
  memory?: string;
  cpu?: string;
}

async function cgroupFolders(domain: string, uri: string): Promise<Folders> {
  const text = await qemuPid(domain, uri)
    .then((pid) => readFile(`/proc/${pid}/cgroup`, 'utf8'))
    .catch(() => '');
  return ownCgroups(text, domain);
}

/**
 * @param text of /proc/PID/cgroup: cgroups(7)
 * @param mount where cgroups are mounted
 */
export function ownCgroups(text: string, domain: string, mount = '/sys/fs/cgroup'): Folders {
  const found: Folders = {};
  for (const line of text.split('\n')) {
    const [, controllers = '', cgroup = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const own = ownPart(cgroup, domain);
    if (own === undefined) continue;
    // The one line of version 2 names no controllers; where version 1 has some, it has neither of these.
    const folder = path.join(mount, controllers, own);
    for (const controller of ['memory', 'cpu'] as const)
      if (
        controllers === ''
          ? existsSync(path.join(folder, V2_FILES[controller]))
          : controllers.split(',').includes(controller)
      )
        found[controller] = folder;
  }
  return found;
}

/** Of a path, up to the part that libvirt named after the domain: below it are cgroups of QEMU's threads. */
function ownPart(cgroup: string, domain: string): string | undefined {
  const parts = cgroup.split('/');
  // As systemd escapes unit names: systemd.unit(5).
  const at = parts.findIndex((part) => part.replaceAll('\\x2d', '-').includes(`-${domain}.`));
  return at === -1 ? undefined : parts.slice(0, at + 1).join('/');
}

async function set(
  folders: Folders,
  controller: keyof Folders,
  { v1, v2 }: Record<'v1' | 'v2', [file: string, value: string]>,
): Promise<void> {
  const folder = folders[controller];
  if (folder === undefined) return;
  const [file, value] = existsSync(path.join(folder, v2[0])) ? v2 : v1;
  // What a host does not allow is not in force, and shown so.
  await writeFile(path.join(folder, file), value).catch(() => undefined);
}

const V2_FILES = { memory: 'memory.max', cpu: 'cpu.max' };
/** Microseconds: the kernel's default. */
const PERIOD = 100_000;
/** Bytes that QEMU needs beside the guest's memory, and, under software emulation, for the code that it translated. */
const OWN_MEMORY = 512 * 1024 ** 2;
const TRANSLATED_CODE = 1024 ** 3;
/** For its threads that do input and output. */
const OWN_CPUS = 1;
/** Version 1 shows no limit as the largest number of pages. */
const UNLIMITED = 2 ** 60;
