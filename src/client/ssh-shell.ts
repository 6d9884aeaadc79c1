import { constants } from 'node:os';
import { promisify } from 'node:util';
import type { Client, ClientChannel } from 'ssh2';
import { NestError } from '../errors.ts';
import { logIn, SshFailure } from '../ssh/log-in.ts';
import type { Engine } from './connect.ts';
import { sendStdin, type Sink, type Sinks } from './output.ts';
import { joinTerminal, terminalSize } from './terminal/raw-terminal.ts';

export interface ShellOptions {
  /** For the guest's shell; a login shell when there is none. */
  command: string | undefined;
  tty: boolean;
  sinks: Sinks;
  signal: AbortSignal;
  /** Called when it is logged in: from here on signals are the guest's business. */
  onStarted: () => void;
}

/** Runs a command or a shell in a guest that boots a stock image, as root; returns its exit status. */
export async function runOverSsh(engine: Engine, guest: string, options: ShellOptions): Promise<number> {
  const { sinks, signal, tty } = options;
  const access = await engine.nest.sshAccess(guest);
  const client = await logIn(await engine.nest.dialSshd(guest, signal), access, signal).catch(explain(guest));
  try {
    const channel = await openChannel(client, options);
    const exit = exitOf(channel);
    options.onStarted();
    if (tty) await joinTerminal(channel, { interactive: true, detachable: false, resize: resizer(channel) });
    else {
      sendStdin(channel);
      await Promise.all([copy(channel, sinks.stdout), copy(channel.stderr, sinks.stderr)]);
    }
    return await exit;
  } finally {
    client.end();
  }
}

function openChannel(client: Client, { command, tty }: ShellOptions): Promise<ClientChannel> {
  const size = terminalSize() ?? { rows: 24, columns: 80 };
  const terminal = { term: process.env['TERM'] ?? 'xterm', rows: size.rows, cols: size.columns };
  return promisify((done: (error: Error | undefined, channel: ClientChannel) => void) => {
    if (command !== undefined) client.exec(command, tty ? { pty: terminal } : {}, done);
    else if (tty) client.shell(terminal, done);
    else client.shell(false, done);
  })();
}

/** 128 + signal when a signal ended it, as shells count; 255 when the connection ended first, as ssh(1) does. */
function exitOf(channel: ClientChannel): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const numbers: Record<string, number> = constants.signals;
  channel.once('exit', (code: number | null, signal = '') => resolve(code ?? 128 + (numbers[signal] ?? 0)));
  channel.once('close', () => resolve(CONNECTION_LOST));
  return promise;
}

function resizer(channel: ClientChannel) {
  return ({ rows, columns }: { rows: number; columns: number }) => {
    channel.setWindow(rows, columns, 0, 0);
    return Promise.resolve();
  };
}

async function copy(source: AsyncIterable<unknown>, sink: Sink): Promise<void> {
  for await (const chunk of source) await sink.write(chunk as Buffer);
  await sink.end();
}

function explain(guest: string) {
  return (error: unknown): never => {
    if (!(error instanceof SshFailure)) throw error;
    throw new NestError('guest-lost', `log in to guest \`${guest}\`: ${error.message}`, {
      hint: `See its console: nest vm console ${guest}`,
      cause: error,
    });
  };
}

const CONNECTION_LOST = 255;
