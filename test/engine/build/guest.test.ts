import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { openBuildGuest } from '../../../src/engine/build/guest.ts';
import type { Context } from '../../../src/engine/context.ts';
import { silent } from '../../../src/progress.ts';
import { until } from '../../helpers/until.ts';
import { fakeGuests } from '../fake-guests.ts';

test('a command whose guest goes fails once, with its output', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-build-guest-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const guests = {
    ...fakeGuests(folder, 'inside'),
    attachScratch: () => Promise.resolve({ serial: 'none', file: '' }),
  };
  const shape = { vcpus: 1, memory: 512 * 2 ** 20 };
  const guest = await guests.create({ zone: 'build', name: 'build-1', shape, accelerator: 'auto' }, silent);
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));

  const options = { folder, progress: silent, signal: new AbortController().signal };
  const context: Pick<Context, 'leaving'> & Record<'seats' | 'link' | 'watch', unknown> = {
    seats: { take: () => Promise.resolve({ guest, reason: '', isNew: true, release: () => undefined }) },
    link: {
      running: () => Promise.resolve({ guest, guests }),
      open: () => Promise.resolve(guests),
      current: () => undefined,
    },
    watch: { drop: () => undefined },
    leaving: new Set(),
  };
  const build = openBuildGuest(context as unknown as Context, options);
  const sleep = { argv: ['sleep'], env: [], cwd: '/', user: '' };
  const command = { ...sleep, layers: [], extra: undefined, onOutput: () => undefined };
  const running = build.run(command, [{ diffId: `sha256:${'a'.repeat(64)}`, path: '' }]);
  const failed = t.throwsAsync(running, { code: 'guest-lost' });
  await until('the command to run', () =>
    [...guests.agent(guest.id).containers.values()].some(({ state }) => state.status === 'running'),
  );
  await build[Symbol.asyncDispose]();
  await failed;
  await turn();
  t.deepEqual(unhandled, []);
});
