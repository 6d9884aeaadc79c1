import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Clock } from '../../../guest-agent/clock.ts';
import { closeSlot, openSlots, removeSlot, sweepSlots } from '../../../guest-agent/container/slots.ts';
import type { Runtime } from '../../../guest-agent/runtime.ts';
import { fakeKernel } from '../fake-kernel.ts';
import { testFolders } from '../fixture.ts';

function scene(t: ExecutionContext, count = 2) {
  const { folder, folders } = testFolders(t);
  const due: (() => void)[] = [];
  const prepared: string[] = [];
  const clock: Clock = {
    now: () => 0,
    after(_, action) {
      due.push(action);
      return () => void due.splice(due.indexOf(action), due.includes(action) ? 1 : 0);
    },
  };
  const zygote = { prepare: (cgroup: string) => void prepared.push(basename(cgroup)) } as unknown as Runtime['zygote'];
  const runtime = { folders, clock, zygote, kernel: fakeKernel(folder) };
  const slots = openSlots(() => runtime, count);
  t.teardown(() => slots.close());
  const idle = () => {
    while (due.length > 0) due.shift()?.();
  };
  const cgroups = () => readdirSync(join(folder, 'cgroup'));
  return { slots, runtime, prepared, idle, due, cgroups, folder: join(folders.runtime, 'slots') };
}

test('slots are made when there is nothing to do, and each has a process prepared', (t) => {
  const { slots, prepared, idle, cgroups } = scene(t);
  slots.renew();
  t.deepEqual(prepared, [], 'not at once');
  idle();
  t.is(prepared.length, 2);
  t.deepEqual(cgroups().toSorted(), prepared.toSorted());
  const slot = slots.take(false);
  t.teardown(() => closeSlot(slot));
  t.true(prepared.includes(basename(slot.cgroup)));
});

test('taking one puts off making others', (t) => {
  const { slots, due } = scene(t);
  slots.renew();
  for (const slot of [slots.take(false), slots.take(false)]) t.teardown(() => closeSlot(slot));
  t.is(due.length, 1);
});

test('none is made while a container is being started', (t) => {
  const { slots, due, idle, prepared } = scene(t);
  const [first, second] = [slots.hold(), slots.hold()];
  for (const slot of [slots.take(false), slots.take(false)]) t.teardown(() => closeSlot(slot));
  first();
  t.is(due.length, 0);
  second();
  idle();
  t.is(prepared.length, 2);
});

test('a slot is there also when none waits', (t) => {
  const { slots, prepared, folder } = scene(t);
  const slot = slots.take(false);
  t.teardown(() => closeSlot(slot));
  t.deepEqual(prepared, []);
  t.deepEqual(readdirSync(join(folder, basename(slot.cgroup))).toSorted(), [
    'root',
    'stderr',
    'stderr.unlogged',
    'stdout',
    'stdout.unlogged',
  ]);
});

test('slots with a cable are kept ready from when the first was asked for', (t) => {
  const { slots, prepared, idle } = scene(t, 1);
  slots.renew();
  idle();
  const slot = slots.take(true);
  t.teardown(() => closeSlot(slot));
  t.false(prepared.includes(basename(slot.cgroup)), 'not one that has another sandbox');
  idle();
  t.is(prepared.length, 2);
  const second = slots.take(true);
  t.teardown(() => closeSlot(second));
  t.true(prepared.includes(basename(second.cgroup)));
});

test('removing a slot leaves nothing, and removing it again succeeds', (t) => {
  const { slots, runtime, cgroups, folder } = scene(t);
  const slot = slots.take(false);
  closeSlot(slot);
  for (let round = 0; round < 2; round += 1) removeSlot(runtime, slot.cgroup);
  t.deepEqual(cgroups(), []);
  t.deepEqual(readdirSync(folder), []);
});

test('a sweep leaves those in use, and those that wait belong to the one who asks', (t) => {
  const { slots, runtime, idle, cgroups, folder } = scene(t);
  slots.renew();
  const used = slots.take(false);
  t.teardown(() => closeSlot(used));
  idle();
  sweepSlots(runtime, new Set([used.cgroup]));
  t.deepEqual(cgroups(), [basename(used.cgroup)]);
  t.deepEqual(readdirSync(folder), [basename(used.cgroup)]);
  t.true(existsSync(join(folder, basename(used.cgroup), 'stdout')));
});
