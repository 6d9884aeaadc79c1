import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_DEVICES, type DeviceRule, filterDevices } from '../cgroup/devices.ts';
import { removeCgroup } from '../cgroup/cgroup.ts';
import { applyResources } from '../oci/resources.ts';
import type { Config } from '../oci/config.ts';
import { linux as sys } from '../sys/sys.ts';
import { RuntimeError } from './errors.ts';

const MOUNT = '/sys/fs/cgroup';

/**
 * The container's cgroup with its limits and device filter: runtime-spec config-linux.md, "Cgroups Path".
 *
 * @returns its folder
 */
export function makeCgroup({ linux }: Config, id: string, systemd: boolean): string {
  const path = linux?.cgroupsPath || `/${id}`;
  const folder = systemd ? systemdFolder(path) : join(MOUNT, resolve('/', path));
  if (existsSync(folder) && readFileSync(join(folder, 'cgroup.procs'), 'utf8') !== '')
    throw new RuntimeError(`make cgroup \`${folder}\`: it has processes`);
  enterTree(folder);
  try {
    filterDevices(sys, folder, deviceRules(linux?.resources?.devices), false);
    if (linux?.resources) applyResources(folder, linux.resources);
  } catch (error) {
    removeCgroup(folder);
    throw error;
  }
  return folder;
}

/** With the folders above that are empty then, but for those that systemd or an administrator made. */
export function removeContainerCgroup(folder: string): void {
  removeCgroup(folder);
  for (let parent = dirname(folder); parent.startsWith(`${MOUNT}/`); parent = dirname(parent)) {
    try {
      if (existsSync(join(parent, 'cgroup.procs')) && readFileSync(join(parent, 'cgroup.procs'), 'utf8') !== '') return;
      rmdirSync(parent);
    } catch {
      return; // Another container's is in it.
    }
  }
}

/** Makes the folder and lets it have every controller that there is: cgroup-v2.rst, "Controlling Controllers". */
function enterTree(folder: string): void {
  const parent = dirname(folder);
  if (parent !== MOUNT && parent.startsWith(MOUNT)) enterTree(parent);
  const available = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim();
  for (const controller of available === '' ? [] : available.split(' ')) {
    try {
      writeFileSync(join(parent, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Not one that this folder can hand on, as cpu with real-time processes; asking for its limits then says so.
    }
  }
  mkdirSync(folder, { recursive: true });
}

/**
 * `slice:prefix:name` is where systemd would put it. No systemd runs in a guest: the folder is made, and no unit.
 */
function systemdFolder(path: string): string {
  const [slice = '', prefix = '', name = ''] = path.split(':');
  if (name === '') throw new RuntimeError(`make cgroup \`${path}\`: with --systemd-cgroup it is SLICE:PREFIX:NAME`);
  const parts = (slice === '' ? 'system.slice' : slice).replace(/\.slice$/, '').split('-');
  const slices = parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`);
  const unit = name.endsWith('.slice') ? name : `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  return join(MOUNT, ...slices, unit);
}

/** What the default allows comes after a rule that denies everything, as the specification's default devices are supplied anyway. */
export function deviceRules(rules: NonNullable<NonNullable<Config['linux']>['resources']>['devices']): DeviceRule[] {
  const asked = (rules ?? []).map(({ allow, type, major, minor, access }): DeviceRule => ({
    allow,
    type: type || 'a',
    major: major === undefined || major === null || major < 0 ? null : major,
    minor: minor === undefined || minor === null || minor < 0 ? null : minor,
    access: access || 'rwm',
  }));
  if (asked.length === 0) return DEFAULT_DEVICES;
  const [first, ...rest] = asked;
  const deniesAll = first !== undefined && !first.allow && first.type === 'a' && first.major === null;
  return deniesAll ? [first, ...DEFAULT_DEVICES.slice(1), ...rest] : asked;
}
