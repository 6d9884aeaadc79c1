import test from 'ava';
import { hostMemoryAvailable } from '../../src/vm/host-memory.ts';

test('tells the available memory in bytes', async (t) => {
  const available = await hostMemoryAvailable();
  t.true(available > 1024 ** 2);
  t.is(available % 1024, 0);
});
