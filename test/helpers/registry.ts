import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './images.ts';

/** Debian's docker-registry on a free port of the loopback, ended with the test. @returns its address */
export async function startRegistry(t: Pick<ExecutionContext, 'teardown'>, { login = false } = {}): Promise<string> {
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const passwords = path.join(folder, 'htpasswd');
  await writeFile(passwords, `${USER}:${HASH}\n`);
  await writeFile(
    path.join(folder, 'config.yml'),
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: path.join(folder, 'storage') } },
      http: { addr: address },
      ...(login && { auth: { htpasswd: { realm: 'test', path: passwords } } }),
    }),
  );
  const registry = spawn('docker-registry', ['serve', path.join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(async () => {
    registry.kill();
    await once(registry, 'close');
  });
  const lines = createInterface(registry.stderr);
  for await (const line of lines) if (line.includes('listening on')) return address;
  throw new Error('docker-registry ended before it listened');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Who may use a registry with login. */
export const USER = 'someone';
export const PASSWORD = 'correct horse';
const HASH = '$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2';
