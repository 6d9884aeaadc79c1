import test from 'ava';
import { errnoName } from '../../../guest-agent/sys/errno.ts';
import { linux } from '../../../guest-agent/sys/sys.ts';
import { SystemError, unless } from '../../../guest-agent/sys/system-error.ts';

test('errno numbers have the names of errno(3), and keep their digits where there is none', (t) => {
  t.is(errnoName(2), 'ENOENT');
  t.is(errnoName(11), 'EAGAIN');
  t.is(errnoName(95), 'ENOTSUP');
  t.is(errnoName(117), 'EUCLEAN');
  t.is(errnoName(4095), 'E4095');
});

test('a failed system call tells operation, object and cause', (t) => {
  const error = t.throws(() => linux.open('/no/such/file', 0), { instanceOf: SystemError });
  t.is(error.message, 'open `/no/such/file`: ENOENT');
  t.like(error, { operation: 'open', object: '/no/such/file', errno: 'ENOENT', code: 2 });
});

test('only the named errors are an answer', (t) => {
  t.is(
    unless(['ENOENT'], () => linux.chdir('/no/such/folder')),
    undefined,
  );
  t.throws(() => unless(['EACCES'], () => linux.chdir('/no/such/folder')), { message: /ENOENT/ });
  t.throws(
    () =>
      unless(['ENOENT'], () => {
        throw new TypeError('not a system call');
      }),
    { instanceOf: TypeError },
  );
});
