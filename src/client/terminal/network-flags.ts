import * as Flags from '@oclif/core/flags';
import { SEVERAL } from './flags.ts';

/** How a container is connected: Docker's names. */
export const NETWORK_FLAGS = {
  network: Flags.string({
    summary: 'Join it: a name, or none, host, container:NAME',
    helpValue: 'NETWORK',
    aliases: ['net'],
    ...SEVERAL,
  }),
  'network-alias': Flags.string({ summary: 'Another name of it in its networks', helpValue: 'NAME', ...SEVERAL }),
  ip: Flags.string({ summary: 'Its address in its network', helpValue: 'ADDRESS' }),
  dns: Flags.string({ summary: 'Server for names that its networks do not know', helpValue: 'ADDRESS', ...SEVERAL }),
  'dns-search': Flags.string({ summary: 'Domain to look names up in', helpValue: 'DOMAIN', ...SEVERAL }),
  'dns-option': Flags.string({ summary: 'Option of resolv.conf: ndots:2', helpValue: 'OPTION', ...SEVERAL }),
  'add-host': Flags.string({ summary: 'Give an address a name', helpValue: 'NAME:ADDRESS', ...SEVERAL }),
};
