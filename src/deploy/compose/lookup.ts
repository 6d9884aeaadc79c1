import { isIP } from 'node:net';
import * as v from 'valibot';
import { HostName } from '../../../guest-agent/api.ts';
import { Invalid, quoted } from './problems.ts';
import { either, list, type Reader, scalar } from './read.ts';

/** A single value is a list of one. */
function oneOrMore(expected: string, parse: (text: string) => string): Reader<string[]> {
  const one: Reader<string[]> = scalar(expected, (text) => [parse(text)]);
  return either({ text: one, list: list(scalar(expected, parse)), map: one });
}

function parseServer(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new Invalid(`${quoted(text)} is no IP address`, 'write one, such as 192.0.2.53');
}

/** "." is no domain at all: resolv.conf(5). */
function parseDomain(text: string): string {
  if (text === '.' || (!text.endsWith('-') && v.is(HostName, text))) return text;
  throw new Invalid(`${quoted(text)} is no domain`, 'use letters, digits, - and .');
}

function parseOption(text: string): string {
  if (/^[a-z0-9:-]{1,32}$/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no option of resolv.conf`, 'write one, such as ndots:2');
}

/** `NAME:ADDRESS` or `NAME=ADDRESS` */
function parseHost(text: string): string {
  const [, name = '', address = ''] = /^([A-Za-z0-9_.-]{1,253})[:=](.*)$/.exec(text) ?? [];
  return host(name, address);
}

function host(name: string, address: string): string {
  const bare = address.trim().replace(/^\[(.*)\]$/, '$1');
  if (bare === 'host-gateway')
    throw new Invalid('refused: a container reaches nothing of the host', 'remove the entry');
  if (v.is(HostName, name) && isIP(bare) !== 0) return `${name}:${bare}`;
  throw new Invalid(`${quoted(`${name}:${address}`)} is not NAME:ADDRESS`, 'write one, such as db:10.5.0.7');
}

const hostList = list(scalar('NAME:ADDRESS', parseHost));

/** A list, or a map of addresses by name. */
const hostsReader: Reader<string[]> = (value, problems) => {
  if (value.kind !== 'map') return hostList(value, problems);
  return [...value.entries].flatMap(
    ([name, entry]) => scalar('an address', (address) => host(name, address))(entry.value, problems) ?? [],
  );
};

/** Keys of a service about how its container finds names, besides those of its networks. */
export const lookupKeys = {
  dns: oneOrMore('an address', parseServer),
  dns_search: oneOrMore('a domain', parseDomain),
  dns_opt: list(scalar('an option', parseOption)),
  extra_hosts: hostsReader,
};
