import type { ContainerCreateOptions } from 'dockerode';
import { NestError } from '../errors.ts';

/** Flags of `nest run` about how a container is connected: terminal/network-flags.ts. */
export interface NetworkOptions {
  network?: string[] | undefined;
  'network-alias'?: string[] | undefined;
  ip?: string | undefined;
  dns?: string[] | undefined;
  'dns-search'?: string[] | undefined;
  'dns-option'?: string[] | undefined;
  'add-host'?: string[] | undefined;
}

export interface NetworkPart {
  host: NonNullable<ContainerCreateOptions['HostConfig']>;
  NetworkingConfig?: ContainerCreateOptions['NetworkingConfig'];
}

/** The parts of a create body that they are; what is not asked for is left out. @throws NestError `invalid-input` */
export function networkRequest(options: NetworkOptions): NetworkPart {
  const { network: networks = [], 'network-alias': aliases = [], ip } = options;
  const [first] = networks;
  if (first === undefined && (aliases.length > 0 || ip !== undefined))
    throw new NestError('invalid-input', `${ip === undefined ? '--network-alias' : '--ip'} goes with --network`, {
      hint: 'Make a network (nest network create NAME) and join it with --network NAME.',
    });
  if (networks.length > 1 && ip !== undefined)
    throw new NestError('invalid-input', '--ip goes with one network only', { hint: 'Leave one out.' });
  const endpoint = {
    ...(aliases.length > 0 && { Aliases: aliases }),
    ...(ip !== undefined && { IPAMConfig: { IPv4Address: ip } }),
  };
  return {
    host: {
      ...(first !== undefined && { NetworkMode: first }),
      ...(options.dns && { Dns: options.dns }),
      ...(options['dns-search'] && { DnsSearch: options['dns-search'] }),
      ...(options['dns-option'] && { DnsOptions: options['dns-option'] }),
      ...(options['add-host'] && { ExtraHosts: options['add-host'] }),
    },
    ...((networks.length > 1 || Object.keys(endpoint).length > 0) && {
      NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks.map((name) => [name, endpoint])) },
    }),
  };
}
