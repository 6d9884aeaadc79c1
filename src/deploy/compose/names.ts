import { constants } from 'node:os';
import * as v from 'valibot';
import { ZoneName } from '../../api.ts';
import { parseShape, SHAPE_ADVICE } from '../../placement/shape.ts';
import { Invalid, quoted } from './problems.ts';

export function parseZone(text: string): string {
  return matching(text, (name) => v.is(ZoneName, name), 'zone name', LOWER_CASE_NAME);
}

/** As written: containers carry it as a label. */
export function parseGuestShape(text: string): string {
  if (parseShape(text) !== undefined) return text;
  throw new Invalid(`${quoted(text)} is no shape of a guest`, SHAPE_ADVICE);
}

/** As Compose names projects. */
export function parseProjectName(text: string): string {
  return matching(text, (name) => /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name), 'project name', LOWER_CASE_NAME);
}

/** The folder's name with what a project name cannot hold left out; undefined when nothing is left. */
export function projectNameOfFolder(folder: string): string | undefined {
  const name = folder.toLowerCase().replace(/[^a-z0-9_-]/g, '');
  return name.replace(/^[_-]+/, '').slice(0, 63) || undefined;
}

export function isServiceName(text: string): boolean {
  return /^[a-zA-Z0-9._-]{1,63}$/.test(text);
}

/** As Docker names containers. */
export function parseContainerName(text: string): string {
  return matching(text, (name) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(name), 'container name', DOCKER_NAME);
}

/** As Docker names networks and volumes. */
export const parseNetworkName = (text: string) => dockerName(text, 'network name');
export const parseVolumeName = (text: string) => dockerName(text, 'volume name');

function dockerName(text: string, what: string): string {
  return matching(text, (name) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name), what, DOCKER_NAME);
}

export function parseHostname(text: string): string {
  return matching(text, (name) => /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/.test(name), 'hostname', PLAIN_NAME);
}

/** An image's name is checked in full by whoever resolves it. */
export function parseImageName(text: string): string {
  return matching(text, (name) => /^[\w][\w.:/@-]{0,254}$/.test(name), 'image name', 'write NAME or NAME:TAG');
}

export function parseUser(text: string): string {
  return matching(text, (name) => /^[\w.-]{1,64}(:[\w.-]{1,64})?$/.test(name), 'user', 'write USER or USER:GROUP');
}

export function parseAbsolutePath(text: string): string {
  const absolute = (path: string) => path.startsWith('/') && path.length <= 4095 && !path.includes('\0');
  return matching(text, absolute, 'absolute path', 'begin it with /');
}

/** "TERM", "SIGTERM" and "sigterm" → "SIGTERM". */
export function parseSignal(text: string): string {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  if (Object.hasOwn(constants.signals, name) || REAL_TIME.test(name)) return name;
  throw new Invalid(`${quoted(text)} is no signal`, 'write its name, such as SIGTERM');
}

function matching(text: string, check: (text: string) => boolean, what: string, advice: string): string {
  if (check(text)) return text;
  throw new Invalid(`${quoted(text)} is no ${what}`, advice);
}

const LOWER_CASE_NAME = 'use a-z, 0-9, - and _, at most 63, a letter or digit first';
const DOCKER_NAME = 'use letters, digits, -, _ and ., a letter or digit first';
const PLAIN_NAME = 'use letters, digits, - and ., a letter or digit first';

/** SIGRTMIN+3 stops systemd: signal(7). */
const REAL_TIME = /^SIGRT(MIN|MAX)([+-]\d{1,2})?$/;
