import test from 'ava';
import { listeningPort } from '../../../src/vm/stock/dial.ts';

test("the port is read from QEMU's table of connections", (t) => {
  const table = [
    'Hub -1 (nest-ssh):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '  TCP[ESTABLISHED]   22       127.0.0.1 41234       10.0.2.15    22     0     0',
    '  TCP[HOST_FORWARD]  19       127.0.0.1 45051       10.0.2.15    22     0     0',
  ];
  t.is(listeningPort(table.join('\r\n')), 45051);
  t.is(listeningPort(table.slice(0, 3).join('\r\n')), undefined);
});
