import test from 'ava';
import { openChanges } from '../../guest-agent/changes.ts';
import { compactWhenQuiet, MANY } from '../../guest-agent/compact.ts';

function scene(bootId: string | null) {
  const changes = openChanges();
  const due = new Set<() => void>();
  const after = (_: number, action: () => void) => {
    due.add(action);
    return () => void due.delete(action);
  };
  let compacted = 0;
  compactWhenQuiet({ changes, self: { bootId: () => bootId } }, { now: () => 0, after }, () => (compacted += 1));
  const change = () => changes.publish({ type: 'removed', id: 'one' });
  return { due, change, compacted: () => compacted };
}

test('memory is given back once containers have changed a lot, and then not for a while', (t) => {
  const { due, compacted, change } = scene('boot');
  for (let n = 1; n < MANY; n++) change();
  t.is(due.size, 0, 'collecting costs more than what so few leave');
  change();
  change();
  t.is(due.size, 1, 'each change waits anew');
  for (const action of due) action();
  t.is(compacted(), 1);
  due.clear();
  change();
  t.is(due.size, 0, 'it is counted anew');
});

test('a guest that only rehearses keeps its memory as it is', (t) => {
  const { due, change } = scene(null);
  for (let n = 0; n < 2 * MANY; n++) change();
  t.is(due.size, 0);
});
