import test from 'ava';
import type { Sys } from '../../../guest-agent/sys/sys.ts';
import { SystemError } from '../../../guest-agent/sys/system-error.ts';
import { execute } from '../../../guest-agent/zygote/execute.ts';
import { recordingSys } from '../sys/recording-sys.ts';

const ERRNO = { ENOENT: 2, ENOEXEC: 8, EACCES: 13, ENOTDIR: 20 };

/** Runs `name` where each path has its own outcome; ENOENT where none is named. */
function run(name: string, path: string | undefined, outcomes: Record<string, keyof typeof ERRNO>) {
  const execve: Sys['execve'] = (file) => {
    throw new SystemError('execve', file, ERRNO[outcomes[file] ?? 'ENOENT']);
  };
  const { sys, calls } = recordingSys({ execve });
  const env = path === undefined ? [] : ['PATH=/first', `PATH=${path}`];
  try {
    execute(sys, [name], env);
  } catch (error) {
    return { tried: calls.map((call) => call.split(' ')[1]), error: error as SystemError };
  }
  throw new Error('execve returned');
}

test('a name without a slash is looked for in PATH, whose last mention counts', (t) => {
  const { tried, error } = run('serve', '/a:/b', {});
  t.deepEqual(tried, ['/a/serve', '/b/serve']);
  t.like(error, { object: 'serve', errno: 'ENOENT' });
});

test('a name with a slash is no name to look for', (t) => {
  t.deepEqual(run('./serve', '/a', {}).tried, ['./serve']);
  t.deepEqual(run('/bin/serve', '/a', {}).tried, ['/bin/serve']);
});

test('relative and empty folders of PATH are passed over', (t) => {
  t.deepEqual(run('serve', ':.:bin:/a', {}).tried, ['/a/serve']);
});

test('without PATH the usual folders are searched', (t) => {
  t.true(run('serve', undefined, {}).tried.includes('/usr/bin/serve'));
});

test('a program that may not be executed is told apart from one that is missing', (t) => {
  t.like(run('serve', '/a:/b', { '/a/serve': 'EACCES' }).error, { object: '/a/serve', errno: 'EACCES' });
  t.is(run('serve', '/a:/b', { '/a/serve': 'ENOTDIR' }).error.errno, 'ENOENT');
});

test('a file that is found and is no program ends the search', (t) => {
  const { tried, error } = run('serve', '/a:/b', { '/a/serve': 'ENOEXEC' });
  t.deepEqual(tried, ['/a/serve']);
  t.is(error.errno, 'ENOEXEC');
});

test('an empty name is not found', (t) => t.is(run('', '/a', {}).error.errno, 'ENOENT'));
