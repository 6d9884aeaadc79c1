import test from 'ava';
import { openChanges } from '../../guest-agent/changes.ts';
import { compactWhenQuiet } from '../../guest-agent/compact.ts';

function scene(bootId: string | null) {
  const changes = openChanges();
  const due = new Set<() => void>();
  const after = (_: number, action: () => void) => {
    due.add(action);
    return () => void due.delete(action);
  };
  let compacted = 0;
  compactWhenQuiet({ changes, self: { bootId: () => bootId } }, { now: () => 0, after }, () => (compacted += 1));
  return { changes, due, compacted: () => compacted };
}

test('memory is given back once containers have not changed for a while', (t) => {
  const { changes, due, compacted } = scene('boot');
  t.is(due.size, 0);
  changes.publish({ type: 'removed', id: 'one' });
  changes.publish({ type: 'removed', id: 'two' });
  t.is(due.size, 1, 'each change waits anew');
  for (const action of due) action();
  t.is(compacted(), 1);
});

test('a guest that only rehearses keeps its memory as it is', (t) => {
  const { changes, due } = scene(null);
  changes.publish({ type: 'removed', id: 'one' });
  t.is(due.size, 0);
});
