import test from 'ava';
import { interfaceCounters } from '../../../guest-agent/proc/network.ts';

test('interfaces are counted, the loopback one is not', (t) => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0',
    '  eth0:    2000      20    1    2    0     0          0         0     3000      30    3    4    0     0       0          0',
    '',
  ].join('\n');
  t.deepEqual(interfaceCounters(text), [
    {
      name: 'eth0',
      rxBytes: 2000,
      rxPackets: 20,
      rxErrors: 1,
      rxDropped: 2,
      txBytes: 3000,
      txPackets: 30,
      txErrors: 3,
      txDropped: 4,
    },
  ]);
});
