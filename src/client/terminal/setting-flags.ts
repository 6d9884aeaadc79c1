import * as Flags from '@oclif/core/flags';
import { SEVERAL } from './flags.ts';

/** What a container may do, and what it has besides its image: Docker's names. */
export const SETTING_FLAGS = {
  'cap-add': Flags.string({ summary: 'Give a capability: NET_ADMIN, ALL', helpValue: 'NAME', ...SEVERAL }),
  'cap-drop': Flags.string({ summary: 'Take a capability away', helpValue: 'NAME', ...SEVERAL }),
  'security-opt': Flags.string({
    summary: 'seccomp=unconfined, seccomp=FILE, no-new-privileges=false',
    helpValue: 'OPTION',
    ...SEVERAL,
  }),
  'read-only': Flags.boolean({ summary: 'Its root cannot be written to' }),
  tmpfs: Flags.string({ summary: 'Mount memory there', helpValue: 'DIR[:OPTIONS]', ...SEVERAL }),
  ulimit: Flags.string({ summary: 'Limit a resource: nofile=1024:4096', helpValue: 'NAME=SOFT[:HARD]', ...SEVERAL }),
  sysctl: Flags.string({ summary: 'Set a kernel parameter of its own', helpValue: 'NAME=VALUE', ...SEVERAL }),
  init: Flags.boolean({ summary: 'Run an init that passes signals and reaps orphans' }),
  'shm-size': Flags.string({ summary: 'Size of /dev/shm: 64m', helpValue: 'BYTES' }),
  device: Flags.string({ summary: 'Give a device of the guest', helpValue: 'PATH[:PATH[:rwm]]', ...SEVERAL }),
  'group-add': Flags.string({ summary: 'Another group of the user', helpValue: 'GROUP', ...SEVERAL }),
  'oom-score-adj': Flags.integer({ summary: 'Killed sooner or later for want of memory', helpValue: 'N' }),
  'storage-opt': Flags.string({ summary: 'Limit what it writes: size=2g', helpValue: 'size=BYTES', ...SEVERAL }),
  domainname: Flags.string({ summary: 'NIS domain name inside', helpValue: 'NAME' }),
};
