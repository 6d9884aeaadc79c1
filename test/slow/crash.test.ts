import test, { type ExecutionContext } from 'ava';
import { question, type Verb, VERBS, type Victim, ZYGOTE_VERBS } from '../fixtures/crash/contract.ts';
import { bootCrashGuest, type CrashGuest } from '../helpers/crash-guest.ts';

let guest: CrashGuest;
let before: unknown;

test.before(async () => {
  guest = await bootCrashGuest();
  before = await guest.ask('leftovers', PATIENCE);
});

test.after.always(() => guest[Symbol.asyncDispose]());

for (const verb of VERBS)
  test.serial(`${verb}: the agent is killed before each change that it makes`, (t) => atEachStep(t, 'agent', verb));

for (const verb of ZYGOTE_VERBS)
  test.serial(`${verb}: the zygote is killed before each system call`, (t) => atEachStep(t, 'zygote', verb));

test.serial('start: the zygote is killed while its child is on its way to the program', async (t) => {
  t.timeout(HOUR);
  for (let at = 1; at < CALLS_OF_A_CHILD; at += 7)
    t.is(await guest.ask(question('child', 'start', at), PATIENCE), 'fork', 'the zygote was killed after it');
});

test.serial('after all of that nothing is left in the guest', async (t) => {
  t.like(await guest.ask('leftovers', PATIENCE), { zombies: 0 });
  t.deepEqual(await guest.ask('leftovers', PATIENCE), before);
});

/** Until the verb is done before it comes to a call of that number. */
async function atEachStep(t: ExecutionContext, victim: Victim, verb: Verb): Promise<void> {
  t.timeout(HOUR);
  const calls: unknown[] = [];
  for (let at = 1; calls.at(-1) !== null; at += 1) calls.push(await guest.ask(question(victim, verb, at), PATIENCE));
  t.log(calls.slice(0, -1).join('\n'));
  t.true(calls.length > 1);
}

/** Milliseconds. */
const HOUR = 3_600_000;
/** Seconds that one answer may take on a busy host. */
const PATIENCE = 280;
const CALLS_OF_A_CHILD = 120;
