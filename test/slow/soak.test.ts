import test from 'ava';
import { bootDriver } from '../../bench/frame/driver.ts';
import type { BenchGuest } from '../../bench/frame/guest.ts';
import { testGuestImage } from '../helpers/guest-image.ts';

let guest: BenchGuest & AsyncDisposable;

test.before(async () => {
  const { paths } = await testGuestImage();
  guest = await bootDriver(paths, { program: 'bench/guest/soak.ts', accelerator: 'tcg' });
});

test.after.always(() => guest[Symbol.asyncDispose]());

/** Seconds that one answer may take on a busy host. */
const PATIENCE = 280;

test.serial('300 starts in a row and 50 at once leave nothing behind', async (t) => {
  // What is made once is no leak.
  await guest.ask('row', PATIENCE);
  await guest.ask('together', PATIENCE);
  const before = await guest.ask('leftovers', PATIENCE);
  for (let rounds = 0; rounds < 30; rounds += 1) await guest.ask('row', PATIENCE);
  await guest.ask('together', PATIENCE);
  const after = await guest.ask('leftovers', PATIENCE);
  t.log(after);
  t.like(after, { zombies: 0 });
  t.deepEqual(after, before);
});
