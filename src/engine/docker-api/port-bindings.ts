import { isIP } from 'node:net';
import { NestError } from '../../errors.ts';
import type { PortRequest } from '../state/record.ts';

type Bindings = Record<string, { HostIp?: string | null | undefined; HostPort?: string | null | undefined }[] | null>;

/** HostConfig.PortBindings as ports to listen on. @throws NestError `invalid-input`, `unsupported` for UDP and SCTP. */
export function portRequests(bindings: Bindings): PortRequest[] {
  return Object.entries(bindings).flatMap(([key, hosts]) => {
    const containerPort = containerPortOf(key);
    return (hosts ?? []).map(({ HostIp, HostPort }) => ({
      containerPort,
      hostIp: hostIpOf(key, HostIp || LOOPBACK),
      hostPort: portNumber(key, HostPort || '0', 0),
    }));
  });
}

function containerPortOf(key: string): number {
  const [port = '', protocol = 'tcp'] = key.split('/');
  if (protocol !== 'tcp')
    throw new NestError(
      'unsupported',
      `HostConfig.PortBindings.${key}: protocol ${protocol} is not supported by nest yet`,
      {
        hint: 'publish TCP ports only',
      },
    );
  return portNumber(key, port, 1);
}

function portNumber(key: string, digits: string, least: number): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : NaN;
  if (port >= least && port <= 65535) return port;
  throw new NestError('invalid-input', `HostConfig.PortBindings.${key}: invalid port '${digits}'`, {
    hint: 'ports are numbers up to 65535; ranges are not supported',
  });
}

function hostIpOf(key: string, address: string): string {
  if (isIP(address) !== 0) return address;
  throw new NestError('invalid-input', `HostConfig.PortBindings.${key}: invalid IP address '${address}'`);
}

/** Without an address a port is for this host alone; Docker would open it to everybody. */
const LOOPBACK = '127.0.0.1';
