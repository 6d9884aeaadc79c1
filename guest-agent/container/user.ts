import { invalid } from '../errors.ts';

/** Who a process runs as. */
export interface Identity {
  uid: number;
  gid: number;
  groups: number[];
  home: string;
}

/**
 * Resolves a user as docker does: "", "uid", "name", each with or without ":gid" or ":group".
 *
 * @param read text of one of the container's files, '' when it is missing
 */
export function resolveUser(user: string, read: (path: string) => string): Identity {
  if (user === '') return { uid: 0, gid: 0, groups: [], home: '/root' };
  const [name = '', group] = user.split(':', 2);
  const entry = records(read('/etc/passwd'), PASSWD_FIELDS).find((fields) => fields[0] === name || fields[2] === name);
  const uid = entry === undefined ? asId(name) : asId(entry[2]);
  if (uid === undefined) throw invalid(`find user \`${name}\`: no matching entries in passwd file`);
  const home = entry?.[5] ?? '';
  const groups = records(read('/etc/group'), GROUP_FIELDS);
  const base = { uid, home: home.startsWith('/') ? home : '/' };
  if (group !== undefined && group !== '') return { ...base, gid: findGroup(groups, group), groups: [] };
  return { ...base, gid: asId(entry?.[3]) ?? 0, groups: groupsOf(groups, entry?.[0]) };
}

/** Further groups, by name or number. @param read as above */
export function resolveGroups(names: string[], read: (path: string) => string): number[] {
  if (names.length === 0) return [];
  const groups = records(read('/etc/group'), GROUP_FIELDS);
  return names.map((name) => findGroup(groups, name));
}

function findGroup(groups: string[][], group: string): number {
  const entry = groups.find((fields) => fields[0] === group || fields[2] === group);
  const gid = asId(entry === undefined ? group : entry[2]);
  if (gid === undefined) throw invalid(`find group \`${group}\`: no matching entries in group file`);
  return gid;
}

function groupsOf(groups: string[][], name: string | undefined): number[] {
  if (name === undefined) return [];
  const ids = groups.filter((fields) => fields[3]?.split(',').includes(name)).map((fields) => asId(fields[2]));
  return [...new Set(ids.filter((id) => id !== undefined))].slice(0, GROUPS_LIMIT);
}

/** passwd(5), group(5): lines of fields; one that has too few is skipped. */
const records = (text: string, fields: number) =>
  text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter((record) => record.length >= fields);

const asId = (text: string | undefined) =>
  text !== undefined && /^[0-9]{1,10}$/.test(text) && Number(text) <= ID_LIMIT ? Number(text) : undefined;

const PASSWD_FIELDS = 6;
const GROUP_FIELDS = 3;
/** As docker allows. */
const ID_LIMIT = 2 ** 31 - 1;
/** NGROUPS_MAX, limits.h. */
const GROUPS_LIMIT = 65536;
