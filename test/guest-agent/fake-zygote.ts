import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { lineSplitter } from '../../guest-agent/lines.ts';
import type {
  ContainerInit,
  ExecInit,
  FromZygote,
  ToZygote,
  ZygoteProcess,
} from '../../guest-agent/zygote/protocol.ts';

export interface FakeZygote {
  /** What it was asked for, oldest first. */
  requests: ToZygote[];
  processes: Map<string, ZygoteProcess>;
  /** As by SIGKILL: what it started runs on. */
  die(): void;
  close(): Promise<void>;
}

/** Speaks the zygote's protocol and really runs the processes, as ordinary ones of the test's user. */
export async function openFakeZygote(path: string): Promise<FakeZygote> {
  const requests: ToZygote[] = [];
  const processes = new Map<string, ZygoteProcess>();
  const children = new Map<string, ChildProcess>();
  const held = new Map<string, number[]>();
  let agent: Socket | undefined;
  const send = (message: FromZygote) => agent?.write(`${JSON.stringify(message)}\n`);

  const run = (id: string, request: 'start' | 'exec', init: ContainerInit | ExecInit) => {
    if (!('stdout' in init.stdio)) throw new Error('the fake zygote has no terminals');
    const { stdin, stdout, stderr } = init.stdio;
    // Taken away meanwhile, with the container that it was for.
    if (!existsSync(stdout)) {
      send({ type: 'failed', id, request, operation: 'open', object: stdout, errno: 'ENOENT' });
      return;
    }
    const fds = [openSync(stdin ?? '/dev/null', 'r'), ...[stdout, stderr].map((file) => openSync(file, 'r+'))];
    held.set(
      id,
      [stdout, stderr].map((file) => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)),
    );
    const env = Object.fromEntries(init.env.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]));
    const child = spawn(init.argv[0] ?? '', init.argv.slice(1), {
      stdio: fds,
      env: { PATH: process.env['PATH'], ...env },
      detached: true,
    });
    for (const fd of fds) closeSync(fd);
    child.on('error', (error: NodeJS.ErrnoException) => {
      release(id);
      send({ type: 'failed', id, request, operation: 'execve', object: init.argv[0] ?? '', errno: error.code ?? '' });
    });
    if (child.pid === undefined) return;
    const entry: ZygoteProcess = { id, pid: child.pid, cgroup: init.cgroup, terminal: null, exit: null };
    processes.set(id, entry);
    children.set(id, child);
    writeFileSync(join(init.cgroup, `${id}.pid`), String(child.pid));
    send({ type: 'started', id, pid: child.pid, cgroup: init.cgroup, terminal: null });
    child.on('exit', (code, signal) => {
      const exit = { code, signal: signal === null ? null : os.constants.signals[signal], at: Date.now() };
      entry.exit = exit;
      send({ type: 'exited', id, exit });
    });
  };

  const release = (id: string) => {
    for (const fd of held.get(id) ?? []) closeSync(fd);
    held.delete(id);
  };

  const receive = (message: ToZygote) => {
    requests.push(message);
    switch (message.type) {
      case 'prepare':
        return;
      case 'start':
      case 'exec': {
        run(message.id, message.type, message.init);
        return;
      }
      case 'signal': {
        const child = children.get(message.id);
        if (child !== undefined && processes.get(message.id)?.exit === null && child.kill(message.signal))
          return send({ type: 'signalled', id: message.id });
        const failure = { operation: 'kill', object: message.id, errno: 'ESRCH' };
        return send({ type: 'failed', id: message.id, request: 'signal', ...failure });
      }
      case 'forget':
        processes.delete(message.id);
        {
          release(message.id);
          return;
        }
    }
  };

  const server = createServer((socket) => {
    agent?.destroy();
    agent = socket;
    socket.on('error', () => {});
    socket.setEncoding('utf8').on(
      'data',
      lineSplitter((line) => receive(JSON.parse(line) as ToZygote)),
    );
    send({ type: 'processes', processes: [...processes.values()] });
  });
  server.listen(path);
  await once(server, 'listening');
  const die = () => {
    agent?.destroy();
    agent = undefined;
    server.close();
  };
  return {
    requests,
    processes,
    die,
    async close() {
      for (const child of children.values())
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGKILL');
          await once(child, 'exit');
        }
      for (const id of [...held.keys()]) release(id);
      die();
    },
  };
}
