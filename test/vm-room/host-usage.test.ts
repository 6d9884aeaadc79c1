import test from 'ava';
import { hostUsage, parseRollup } from '../../src/vm/host-usage.ts';

const ROLLUP = `55f0a0000000-7ffd2f5f1000 ---p 00000000 00:00 0                          [rollup]
Rss:              163272 kB
Pss:               77656 kB
Pss_Anon:          70000 kB
Shared_Clean:      81000 kB
Shared_Dirty:        284 kB
Private_Dirty:     75184 kB
`;

test('what is held and shared is read from the kernel, in bytes', (t) => {
  t.deepEqual(parseRollup(ROLLUP), { held: 77_656 * 1024, shared: 81_284 * 1024 });
});

test('of a domain that does not run nothing is known', async (t) => {
  t.is(await hostUsage('nest-none', 'qemu:///system'), undefined);
  t.is(await hostUsage('nest-none', 'qemu:///session'), undefined);
});
