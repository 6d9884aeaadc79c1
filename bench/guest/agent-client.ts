import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import http2, { type ClientHttp2Session } from 'node:http2';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { agentSocket, FOLDERS } from '../../guest-agent/folders.ts';
import { identity } from './agent-requests.ts';
import { DIFF_ID, LAYER_SERIAL } from './contract.ts';

/** The real agent as a child of the driver, and a connection to it. */
export interface Agent {
  process: ChildProcess;
  /** @throws Error for a status of 300 and above */
  ask: (method: string, path: string, body?: unknown) => Promise<unknown>;
  close: () => void;
}

/**
 * Also another one, after one that has ended.
 *
 * @param program file of the driver, which becomes the agent when its argument is `agent`
 */
export async function startAgent(program: string): Promise<Agent> {
  const process_ = spawn(process.execPath, [...process.execArgv, program, 'agent'], { stdio: 'inherit' });
  const session = await connect();
  const ask = (method: string, path: string, body?: unknown) => exchange(session, method, path, body);
  await ask('PUT', '/v1/identity', IDENTITY);
  await ask('PUT', `/v1/layers/${DIFF_ID}`, { serial: LAYER_SERIAL });
  return { process: process_, ask, close: () => session.destroy() };
}

/** An earlier agent leaves its socket: only an answer counts. */
async function connect(): Promise<ClientHttp2Session> {
  for (;;) {
    const session = http2.connect('http://agent', { createConnection: () => createConnection(agentSocket(FOLDERS)) });
    session.on('error', () => {});
    try {
      await exchange(session, 'GET', '/v1/info');
      return session;
    } catch {
      session.destroy();
      await delay(50);
    }
  }
}

async function exchange(session: ClientHttp2Session, method: string, path: string, body?: unknown): Promise<unknown> {
  const stream = session.request({ ':method': method, ':path': path, 'content-type': 'application/json' });
  stream.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`);
  // A connection that ends takes its streams with it, some of them without an error.
  const closed = once(stream, 'close').then(() => [{ ':status': 0 }]);
  const [headers] = (await Promise.race([once(stream, 'response'), closed])) as [{ ':status': number }];
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  if (headers[':status'] === 0 || headers[':status'] >= 300)
    throw new Error(`${method} ${path}: ${headers[':status']} ${text}`);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** One guest stays the same one. */
const IDENTITY = identity();
