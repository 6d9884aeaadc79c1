import * as Flags from '@oclif/core/flags';
import { NestError } from '../../errors.ts';

/** A flag that may be given several times, one value each. */
export const SEVERAL = { multiple: true, multipleNonGreedy: true } as const;

/** Docker's -t is taken, so that `-it` gets an answer that helps. */
export const TTY_FLAG = {
  tty: Flags.boolean({ char: 't', summary: 'Not supported yet: give the container a terminal' }),
};

export function refuseTerminal(asked: boolean): void {
  if (!asked) return;
  throw new NestError('unsupported', 'give the container a terminal (-t): this engine cannot yet', {
    hint: 'Leave -t out; -i alone passes stdin: echo ls | nest exec -i NAME sh',
  });
}

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
