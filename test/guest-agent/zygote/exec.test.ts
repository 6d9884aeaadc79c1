import test from 'ava';
import { joinContainer } from '../../../guest-agent/zygote/exec.ts';
import { recordingSys } from '../sys/recording-sys.ts';
import { execInit } from './samples.ts';

test("a further process opens its streams in the guest, joins, and closes all before it enters the container's folders", (t) => {
  const { sys, calls } = recordingSys();
  joinContainer(sys, execInit(), 42, []);
  const steps = calls.filter((call) => !/^(fcntl|prctl|dropFrom|setrlimit|fstat)/.test(call));
  t.deepEqual(steps.slice(0, 10), [
    'open /dev/null 526336',
    'open /run/out 524290',
    'open /run/err 524290',
    `setns 42 ${0x20000 + 0x2000000 + 0x4000000 + 0x8000000 + 0x40000000}`,
    'dup2 10 0',
    'dup2 11 1',
    'dup2 12 2',
    'closeRange 4 4294967295',
    'chdir /srv',
    'getcwd',
  ]);
  t.is(steps.at(-1), 'execve /bin/serve /bin/serve,--fast PATH=/bin');
  t.false(
    calls.some((call) => call.startsWith('mkdir')),
    'a missing folder is an error here',
  );
});
