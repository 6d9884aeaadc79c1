import { isIP } from 'node:net';
import type { PublishedPort } from '../model.ts';
import { Invalid, quoted } from './problems.ts';
import { either, fields, guarded, scalar, type Reader } from './read.ts';

/**
 * One entry of `ports`, short or long syntax. Without an address a port is published on 127.0.0.1 only, unlike Docker's
 * every address: a service is reachable from other machines only where its file says so.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#ports
 */
export const portReader: Reader<PublishedPort> = either({
  text: scalar('a port', parsePort),
  map: (value, problems) => {
    const read = LONG_SYNTAX(value, problems);
    if (read === undefined) return undefined;
    return guarded(value, problems, () => {
      if (read.target === undefined) throw new Invalid('target is missing', 'name the port of the container');
      return published(read.host_ip, read.published ?? 0, read.target);
    });
  },
  list: scalar('a port', parsePort),
});

/** `[[ADDRESS:][HOST]:]CONTAINER[/tcp]`; an IPv6 address stands in brackets. */
export function parsePort(text: string): PublishedPort {
  const match = SHORT_SYNTAX.exec(text);
  if (match?.groups === undefined) throw new Invalid(`${quoted(text)} is no port`, SHORT_ADVICE);
  const { address, host, container = '', protocol } = match.groups;
  checkProtocol(protocol ?? 'tcp');
  return published(address, host === undefined || host === '' ? 0 : portNumber(host), portNumber(container));
}

/** An entry of `expose`: `3000`, `3000-3005`, `3000/udp`. Each port as "3000/tcp". */
export const exposedReader: Reader<string[]> = scalar('a port', (text) => {
  const [, first = '', last = first, protocol = 'tcp'] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/.exec(text) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (first === '' || count < 1 || Number(last) > 65535 || first === '0')
    throw new Invalid(`${quoted(text)} is no port`, 'write a port, or a range such as 3000-3005');
  return Array.from({ length: count }, (_, index) => `${Number(first) + index}/${protocol}`);
});

/** True when the two cannot both listen. */
export function portsCollide(a: PublishedPort, b: PublishedPort): boolean {
  if (a.hostPort === 0 || a.hostPort !== b.hostPort) return false;
  return a.hostIp === b.hostIp || ANY_ADDRESS.has(a.hostIp) || ANY_ADDRESS.has(b.hostIp);
}

function published(address = '127.0.0.1', hostPort: number, containerPort: number): PublishedPort {
  const hostIp = address.replace(/^\[(.*)\]$/, '$1');
  if (isIP(hostIp) === 0) throw new Invalid(`${quoted(address)} is no IP address`, 'write one, such as 127.0.0.1');
  return { hostIp, hostPort, containerPort, protocol: 'tcp' };
}

function portNumber(text: string): number {
  if (text.includes('-')) {
    throw new Invalid(`port range ${quoted(text)} is not supported yet`, 'write one entry for each port');
  }
  const port = Number(text);
  if (port >= 1 && port <= 65535) return port;
  throw new Invalid(`${quoted(text)} is no port number`, 'ports are 1 to 65535');
}

function checkProtocol(protocol: string): string {
  if (protocol === 'tcp') return protocol;
  if (protocol === 'udp') throw new Invalid('UDP is not supported yet: ports are carried as TCP', 'remove the entry');
  throw new Invalid(`${quoted(protocol)} is no protocol`, 'write tcp');
}

function digits(text: string): number {
  if (!/^[\d-]+$/.test(text)) throw new Invalid(`${quoted(text)} is no port number`, 'ports are 1 to 65535');
  return portNumber(text);
}

const LONG_SYNTAX = fields({
  target: scalar('a port number', digits),
  published: scalar('a port number', digits),
  host_ip: scalar('an IP address', (text) => text),
  protocol: scalar('tcp', checkProtocol),
});

const SHORT_SYNTAX =
  /^(?:(?:(?<address>\[[^\]]*\]|[^:[\]]*):)?(?<host>[\d-]*):)?(?<container>\d[\d-]*)(?:\/(?<protocol>\w+))?$/;
const SHORT_ADVICE = 'write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, for example 8080:80';
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
