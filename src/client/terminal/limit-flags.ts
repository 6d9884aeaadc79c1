import * as Flags from '@oclif/core/flags';

/** What a container may use, for run and update. */
export const LIMIT_FLAGS = {
  memory: Flags.string({ char: 'm', summary: 'Limit memory: 512m, 1g', helpValue: 'BYTES', env: 'NEST_MEMORY' }),
  'memory-reservation': Flags.string({ summary: 'Memory that is reclaimed last', helpValue: 'BYTES' }),
  'memory-swap': Flags.string({ summary: 'Limit memory and swap together; -1: no limit', helpValue: 'BYTES' }),
  cpus: Flags.string({ summary: 'Limit processor time: 0.5, 2', helpValue: 'CORES', env: 'NEST_CPUS' }),
  'cpu-quota': Flags.integer({ summary: 'Microseconds of processor time in each period', helpValue: 'US' }),
  'cpu-period': Flags.integer({ summary: 'Microseconds of a period', helpValue: 'US' }),
  'cpu-shares': Flags.integer({ summary: 'Weight beside other containers; 1024 is usual', helpValue: 'N' }),
  'cpuset-cpus': Flags.string({ summary: 'Processors of the guest to run on: 0-2,3', helpValue: 'LIST' }),
  'cpuset-mems': Flags.string({ summary: 'Memory nodes of the guest to use: 0,1', helpValue: 'LIST' }),
  'pids-limit': Flags.integer({
    summary: 'Limit processes and threads; -1: no limit',
    helpValue: 'N',
    env: 'NEST_PIDS_LIMIT',
  }),
  'blkio-weight': Flags.integer({ summary: 'Weight at the disk, 10 to 1000', helpValue: 'N' }),
};
