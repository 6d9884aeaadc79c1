import test from 'ava';
import { bootCrashGuest, type CrashGuest } from '../helpers/crash-guest.ts';
import { question, type Verb, type Victim } from '../fixtures/crash/contract.ts';

/** One step of each verb; test/slow/crash.test.ts has them all. */
let guest: CrashGuest;

test.before(async () => {
  guest = await bootCrashGuest();
});

test.after.always(() => guest[Symbol.asyncDispose]());

const STEPS: [victim: Victim, verb: Verb, at: number][] = [
  ['agent', 'create', 5],
  ['agent', 'start', 3],
  ['agent', 'exec', 10],
  ['agent', 'update', 3],
  ['agent', 'end', 3],
  ['agent', 'delete', 3],
  ['agent', 'log', 3],
  ['zygote', 'start', 8],
  ['zygote', 'exec', 8],
  ['child', 'start', 60],
];

for (const [victim, verb, at] of STEPS)
  test.serial(
    `${verb}: the ${victim} is killed in the middle, and the container is fully there or fully gone`,
    async (t) => {
      t.truthy(await guest.ask(question(victim, verb, at), 250), 'the verb was done before: nothing was killed');
    },
  );
