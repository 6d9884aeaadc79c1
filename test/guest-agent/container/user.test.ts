import test from 'ava';
import { resolveUser } from '../../../guest-agent/container/user.ts';

const FILES: Record<string, string> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\n# comment\nbroken:x\nweb:x:33:34::/srv:/bin/false\nfar:x:99999999999:0::/:/\n',
  '/etc/group': 'root:x:0:\nweb:x:34:\nadm:x:4:syslog,web\nmail:x:8:web\nold:x:9:webmaster\n',
};
const read = (path: string) => FILES[path] ?? '';

const resolves = test.macro({
  exec(t, user: string, uid: number, gid: number, groups: number[], home: string) {
    t.deepEqual(resolveUser(user, read), { uid, gid, groups, home });
  },
  title: (_, user) => `user ${JSON.stringify(user)} is found as docker finds it`,
});

test(resolves, '', 0, 0, [], '/root');
test(resolves, 'web', 33, 34, [4, 8], '/srv');
test(resolves, '33', 33, 34, [4, 8], '/srv');
test(resolves, 'web:adm', 33, 4, [], '/srv');
test(resolves, '1000', 1000, 0, [], '/');
test(resolves, '1000:2000', 1000, 2000, [], '/');
test(resolves, '1000:mail', 1000, 8, [], '/');
test(resolves, 'root:', 0, 0, [], '/root');

for (const user of ['nobody', 'web:nogroup', '-1', '4294967295', 'far', ':34', 'web:-1'])
  test(`user ${JSON.stringify(user)} is refused`, (t) => {
    t.throws(() => resolveUser(user, read), { message: /no matching entries in (passwd|group) file/ });
  });

test('root needs no files', (t) => {
  t.is(resolveUser('', () => t.fail()).uid, 0);
});
