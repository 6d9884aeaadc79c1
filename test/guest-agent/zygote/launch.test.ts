import test from 'ava';
import { launch } from '../../../guest-agent/zygote/launch.ts';
import { recordingSys } from '../sys/recording-sys.ts';

test('whatever the child does, it ends there', (t) => {
  const { stackTraceLimit } = Error;
  t.teardown(() => (Error.stackTraceLimit = stackTraceLimit));
  for (const child of [
    () => {},
    () => {
      throw new Error('broken');
    },
  ]) {
    const { sys, calls } = recordingSys({
      fork: () => ({ pid: 0, pidfd: 0 }),
      exit() {
        throw new Error('exit');
      },
    });
    t.throws(() => launch(sys, 0, '/cgroup', child), { message: 'exit' });
    t.true(calls.includes('exit 127'));
  }
});

test('the parent keeps the end of the pipe that it reads, and nothing else', (t) => {
  const { sys, calls } = recordingSys();
  const launched = launch(sys, 0, '/cgroup', () => t.fail());
  t.deepEqual(launched, { pid: 100, pidfd: 13, status: 11 });
  t.deepEqual(
    calls.filter((call) => call.startsWith('close')),
    ['close 12', 'close 10'],
  );
});
