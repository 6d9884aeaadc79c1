import test from 'ava';
import { SystemError } from '../../../guest-agent/sys/system-error.ts';
import { announceReady, parseReport, reportFailure } from '../../../guest-agent/zygote/report.ts';
import { recordingSys } from '../sys/recording-sys.ts';

/** All that a child writes. */
function reportOf(child: (sys: ReturnType<typeof recordingSys>['sys']) => void): string {
  let text = '';
  const { sys } = recordingSys({ write: (_, bytes) => (text += Buffer.from(bytes).toString()).length });
  child(sys);
  return text;
}

test('a child that got to execve is ready', (t) => t.is(parseReport(reportOf(announceReady)), 'ready'));

test('a child that was killed on its way says nothing', (t) => t.is(parseReport(''), 'silent'));

test('a failed step is reported, also when it is execve', (t) => {
  const fail = (sys: Parameters<typeof announceReady>[0]) =>
    reportFailure(sys, new SystemError('execve', '/bin/"x"\n', 2));
  const failure = { operation: 'execve', object: '/bin/"x"\n', errno: 'ENOENT' };
  t.deepEqual(parseReport(reportOf(fail)), failure);
  t.deepEqual(
    parseReport(
      reportOf((sys) => {
        announceReady(sys);
        fail(sys);
      }),
    ),
    failure,
  );
});

test('a request that makes no sense is reported as such, in a bounded number of bytes', (t) => {
  const text = reportOf((sys) => reportFailure(sys, new TypeError('x'.repeat(100_000))));
  t.true(text.length < 4096);
  t.like(parseReport(text), { operation: 'initialize', errno: 'EINVAL' });
});
