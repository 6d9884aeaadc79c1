import type { ServerHttp2Stream } from 'node:http2';
import test from 'ava';
import type { ContainerState } from '../../../guest-agent/api.ts';
import { openChanges } from '../../../guest-agent/changes.ts';
import { eventRoutes } from '../../../guest-agent/routes/events.ts';
import type { Call } from '../../../guest-agent/routes/router.ts';
import type { Runtime } from '../../../guest-agent/runtime.ts';

/** A stream that nobody reads: everything written stays. */
function unreadStream() {
  const written: string[] = [];
  const closed: number[] = [];
  let ended = () => {};
  const stream = {
    written,
    closed,
    respond: () => {},
    write: (text: string) => written.push(text),
    get writableLength() {
      return written.reduce((sum, text) => sum + text.length, 0);
    },
    close(code: number) {
      closed.push(code);
      ended();
    },
    once: (_: 'close', listener: () => void) => (ended = listener),
  };
  return stream;
}

test('a listener that does not read is dropped instead of kept in memory', (t) => {
  const changes = openChanges();
  const runtime = { changes, containers: new Map() } as unknown as Runtime;
  const stream = unreadStream();
  void eventRoutes['GET /v1/events']?.({ runtime, stream: stream as unknown as ServerHttp2Stream } as Call);
  const state = { id: 'x', error: 'x'.repeat(4000) } as ContainerState;
  for (let change = 0; change < 1000; change += 1) changes.publish({ type: 'state', state });
  t.is(stream.closed.length, 1);
  t.true(stream.writableLength > 1024 * 1024 && stream.writableLength < 1.1 * 1024 * 1024);
});
