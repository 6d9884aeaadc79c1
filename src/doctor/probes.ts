import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, chown, open, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { freemem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { nestPaths, type Paths } from '../paths.ts';

/** All that checks learn about a host, and all that mending does to it. Tests put other answers in their place. */
export interface Probes {
  paths: Paths;
  uid: number;
  nodeVersion: string;
  /** The engine's connection to libvirt. */
  libvirtUri: string;
  /** Where a program of PATH (or of the folders for root's programs) is. */
  findProgram: (name: string) => Promise<string | undefined>;
  /** Throws libvirt's own words. */
  loadLibvirt: () => Promise<void>;
  /** Throws libvirt's own words; returns the versions of libvirt and QEMU. */
  connectLibvirt: (uri: string) => Promise<{ libvirt: number; hypervisor: number }>;
  /** True when systemd (or another init system that starts libvirt's sockets) runs here. */
  hasInitSystem: () => Promise<boolean>;
  /** True when a process of this name runs. */
  isRunning: (name: string) => Promise<boolean>;
  stat: (file: string) => Promise<FileStatus | undefined>;
  canOpen: (file: string) => Promise<boolean>;
  canWrite: (folder: string) => Promise<boolean>;
  groupId: (name: string) => Promise<number | undefined>;
  readText: (file: string) => Promise<string>;
  list: (folder: string) => Promise<string[]>;
  /** Bytes. */
  availableMemory: () => Promise<number>;
  /** Bytes in the file system that holds this folder, which exists. */
  freeDisk: (folder: string) => Promise<number>;
  engineAnswers: () => Promise<boolean>;
  run: (command: string, args: string[]) => Promise<void>;
  setOwner: (file: string, owner: { uid: number; gid: number; mode: number }) => Promise<void>;
}

/** The parts of stat(2) that matter here. */
export interface FileStatus {
  mode: number;
  gid: number;
}

/** This host. */
export function hostProbes(env: NodeJS.ProcessEnv = process.env): Probes {
  const uid = process.getuid?.() ?? 0;
  const paths = nestPaths(env, uid);
  const readText = (file: string) => readFile(file, 'utf8').catch(() => '');
  const list = (folder: string) => readdir(folder).catch(() => []);
  return {
    paths,
    uid,
    nodeVersion: process.versions.node,
    libvirtUri: env['NEST_LIBVIRT_URI'] ?? (uid === 0 ? 'qemu:///system' : 'qemu:///session'),
    findProgram: (name) => findProgram(name, env),
    loadLibvirt,
    connectLibvirt,
    hasInitSystem: async () => (await stat('/run/systemd/system').catch(() => undefined)) !== undefined,
    async isRunning(name) {
      const processes = (await list('/proc')).filter((entry) => /^\d+$/.test(entry));
      const running = await Promise.all(
        processes.map(async (pid) => {
          const comm = await readText(`/proc/${pid}/comm`);
          // Only its name is left of one that has ended and nobody waits for: proc_pid_cmdline(5).
          return comm.trim() === name && (await readText(`/proc/${pid}/cmdline`)) !== '';
        }),
      );
      return running.includes(true);
    },
    stat: (file) => stat(file).catch(() => undefined),
    async canOpen(file) {
      try {
        await (await open(file, constants.O_RDWR)).close();
        return true;
      } catch {
        return false;
      }
    },
    canWrite: (folder) =>
      access(folder, constants.W_OK | constants.X_OK).then(
        () => true,
        () => false,
      ),
    async groupId(name) {
      const line = (await readText('/etc/group')).split('\n').find((entry) => entry.startsWith(`${name}:`));
      return line === undefined ? undefined : Number(line.split(':')[2]);
    },
    readText,
    list,
    async availableMemory() {
      const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(await readText('/proc/meminfo'))?.[1];
      return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
    },
    async freeDisk(folder) {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    engineAnswers: () => accepts(paths.engineSocket),
    async run(command, args) {
      await promisify(execFile)(command, args);
    },
    async setOwner(file, { uid: owner, gid, mode }) {
      await chown(file, owner, gid);
      await chmod(file, mode);
    },
  };
}

/** An ordinary user's PATH often lacks the folders of mkfs and libvirtd. */
async function findProgram(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = [...(env['PATH'] ?? '').split(':').filter(Boolean), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    const candidate = path.join(folder, name);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}

/** The one place here that knows src/libvirt. */
async function loadLibvirt(): Promise<void> {
  const { prepareLibrary } = await import('../libvirt/ffi.ts');
  prepareLibrary();
}

async function connectLibvirt(uri: string): Promise<{ libvirt: number; hypervisor: number }> {
  const { openLibvirt } = await import('../libvirt/libvirt.ts');
  const libvirt = await openLibvirt(uri);
  try {
    return await libvirt.version();
  } finally {
    await libvirt.close();
  }
}

async function accepts(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
