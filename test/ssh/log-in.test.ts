import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import ssh2 from 'ssh2';
import { logIn, SshFailure } from '../../src/ssh/log-in.ts';

const [host, other, user] = ['host', 'other', 'user'].map((comment) =>
  ssh2.utils.generateKeyPairSync('ed25519', { comment }),
);

/** A connection to an SSH server whose one user has the key `user`. */
async function dial(t: ExecutionContext) {
  const server = new ssh2.Server({ hostKeys: [host?.private ?? ''] }, (client) => {
    const key = ssh2.utils.parseKey(user?.public ?? '');
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      const known =
        !(key instanceof Error) && attempt.method === 'publickey' && attempt.key.data.equals(key.getPublicSSH());
      if (known && attempt.username === 'root') attempt.accept();
      else attempt.reject();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

test('who has the key logs in to a guest that has its own', async (t) => {
  const client = await logIn(await dial(t), { privateKey: user?.private ?? '', hostKey: host?.public ?? '' });
  client.end();
  t.pass();
});

test('a machine with another host key is not told anything', async (t) => {
  const access = { privateKey: user?.private ?? '', hostKey: other?.public ?? '' };
  const socket = await dial(t);
  await t.throwsAsync(logIn(socket, access), { instanceOf: SshFailure, message: /not have the host key/ });
  t.true(socket.destroyed);
});

test('a machine that does not take the key says so', async (t) => {
  const access = { privateKey: other?.private ?? '', hostKey: host?.public ?? '' };
  await t.throwsAsync(logIn(await dial(t), access), { instanceOf: SshFailure, message: /does not take the key/ });
});

test('a machine that is silent is not waited for when nobody wants it any more', async (t) => {
  const server = createServer((socket) => void socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const signal = AbortSignal.timeout(50);
  const access = { privateKey: user?.private ?? '', hostKey: host?.public ?? '' };
  await t.throwsAsync(logIn(socket, access, signal), { instanceOf: SshFailure });
  t.true(socket.destroyed);
});
