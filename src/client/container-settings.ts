import { readFile } from 'node:fs/promises';
import type { HostConfig } from 'dockerode';
import { NestError } from '../errors.ts';
import { parseBytes, toMap } from './docker-values.ts';
import { terminalSize } from './terminal/raw-terminal.ts';

/** Flags of `nest run` about what a container may do and has: terminal/setting-flags.ts. */
export interface SettingFlags {
  'cap-add'?: string[] | undefined;
  'cap-drop'?: string[] | undefined;
  'security-opt'?: string[] | undefined;
  'read-only': boolean;
  tmpfs?: string[] | undefined;
  ulimit?: string[] | undefined;
  sysctl?: string[] | undefined;
  init: boolean;
  'shm-size'?: string | undefined;
  device?: string[] | undefined;
  'group-add'?: string[] | undefined;
  'oom-score-adj'?: number | undefined;
  'storage-opt'?: string[] | undefined;
  tty: boolean;
}

export type HostSettings = Partial<HostConfig>;

/** The part of Docker's HostConfig that they are; what is not asked for is left out. @throws NestError `invalid-input` */
export async function containerSettings(flags: SettingFlags): Promise<HostSettings> {
  const size = flags.tty ? terminalSize() : undefined;
  return {
    ...(flags['cap-add'] && { CapAdd: flags['cap-add'] }),
    ...(flags['cap-drop'] && { CapDrop: flags['cap-drop'] }),
    ...(flags['security-opt'] && { SecurityOpt: await Promise.all(flags['security-opt'].map(readProfile)) }),
    ...(flags['read-only'] && { ReadonlyRootfs: true }),
    ...(flags.tmpfs && { Tmpfs: Object.fromEntries(flags.tmpfs.map(parseTmpfs)) }),
    ...(flags.ulimit && { Ulimits: flags.ulimit.map(parseUlimit) }),
    ...(flags.sysctl && { Sysctls: toMap(flags.sysctl) }),
    ...(flags.init && { Init: true }),
    ...(flags['shm-size'] !== undefined && { ShmSize: parseBytes(flags['shm-size']) }),
    ...(flags.device && { Devices: flags.device.map(parseDevice) }),
    ...(flags['group-add'] && { GroupAdd: flags['group-add'] }),
    ...(flags['oom-score-adj'] !== undefined && { OomScoreAdj: flags['oom-score-adj'] }),
    ...(flags['storage-opt'] && { StorageOpt: toMap(flags['storage-opt']) }),
    ...(size && { ConsoleSize: [size.rows, size.columns] }),
  };
}

/** As Docker's CLI does, the profile travels, not its name. */
async function readProfile(option: string): Promise<string> {
  const [, file] = /^seccomp[=:](.+)$/s.exec(option) ?? [];
  if (file === undefined || file === 'unconfined' || file === 'builtin') return option;
  try {
    return `seccomp=${JSON.stringify(JSON.parse(await readFile(file, 'utf8')))}`;
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = absent ? 'no such file' : cause instanceof Error ? cause.message : String(cause);
    throw new NestError('invalid-input', `read seccomp profile \`${file}\`: ${reason}`, {
      hint: "Give a file with a profile in Docker's format, or seccomp=unconfined for none.",
      cause,
    });
  }
}

/** `/run:size=64m,mode=1777` */
export function parseTmpfs(text: string): [destination: string, options: string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** `nofile=1024:4096`, `nproc=64`, `core=-1` */
export function parseUlimit(text: string): { Name: string; Soft: number; Hard: number } {
  const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name !== '') return { Name: name, Soft: Number(soft), Hard: Number(hard) };
  throw new NestError('invalid-input', `ulimit \`${text}\`: not NAME=SOFT[:HARD]`, {
    hint: 'Example: --ulimit nofile=1024:4096; -1 is no limit',
  });
}

/** `/dev/fuse`, `/dev/sda:/dev/disk:r` */
export function parseDevice(text: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const [source = '', second = '', third = ''] = text.split(':');
  const isAccess = (word: string) => /^[rwm]{1,3}$/.test(word);
  const [path, access] = third === '' && isAccess(second) ? ['', second] : [second, third];
  if (source.startsWith('/') && (path === '' || path.startsWith('/')) && (access === '' || isAccess(access)))
    return { PathOnHost: source, PathInContainer: path || source, CgroupPermissions: access || 'rwm' };
  throw new NestError('invalid-input', `device \`${text}\`: not PATH[:PATH[:rwm]]`, {
    hint: 'Example: --device /dev/fuse; devices are those of the guest',
  });
}
