import * as Flags from '@oclif/core/flags';

/** A flag that may be given several times, one value each. */
export const SEVERAL = { multiple: true, multipleNonGreedy: true } as const;

/** Docker's filters. @param known those that the command has, for its help */
export const filters = (known: string) =>
  Flags.string({ char: 'f', summary: `Show those with ${known}`, helpValue: 'KEY=VALUE', ...SEVERAL });

export const TTY_FLAG = {
  tty: Flags.boolean({ char: 't', summary: 'Give it a terminal; ctrl-p ctrl-q leaves it running' }),
};

/** How long stop and restart wait. */
export const TIME_FLAG = {
  time: Flags.integer({
    char: 't',
    summary: 'Seconds to wait before it is killed; -1: for ever',
    helpValue: 'SECONDS',
    min: -1,
    env: 'NEST_STOP_TIMEOUT',
  }),
};
