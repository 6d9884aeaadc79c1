import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import type { Engine } from './connect.ts';
import { demultiplex } from './demultiplex.ts';
import { requestJson } from './http.ts';
import { sendStdin, type Sinks } from './output.ts';
import { resizer } from './run-container.ts';
import { joinTerminal, terminalSize } from './terminal/raw-terminal.ts';

export interface ExecOptions {
  command: string[];
  environment: string[];
  workingDirectory?: string | undefined;
  user?: string | undefined;
  interactive: boolean;
  tty: boolean;
}

/** Runs a command in a container, with its output; returns its exit status, null when the user detached from it. */
export async function execInForeground(
  engine: Engine,
  container: string,
  options: ExecOptions,
  sinks: Sinks,
): Promise<number | null> {
  const id = await createExec(engine, container, options, true);
  const stream: Duplex = await engine.docker((docker) =>
    docker.getExec(id).start({ hijack: true, stdin: options.interactive, Tty: options.tty }),
  );
  if (options.tty) {
    const resize = resizer(engine, `/exec/${id}`);
    const how = await joinTerminal(stream, { interactive: options.interactive, resize });
    stream.destroy();
    if (how === 'detached') return null;
  } else {
    if (options.interactive) sendStdin(stream);
    await demultiplex(stream, sinks);
    stream.destroy();
  }
  return await exitStatus(engine, id);
}

/** Starts a command in a container and leaves it to itself; returns the id of the exec. */
export async function execDetached(engine: Engine, container: string, options: ExecOptions): Promise<string> {
  const id = await createExec(engine, container, options, false);
  const stream = await engine.docker((docker) => docker.getExec(id).start({ Detach: true }));
  stream.destroy();
  return id;
}

async function createExec(engine: Engine, container: string, options: ExecOptions, attach: boolean): Promise<string> {
  const size = options.tty ? terminalSize() : undefined;
  const exec = await engine.docker((docker) =>
    docker.getContainer(container).exec({
      Cmd: options.command,
      Env: options.environment,
      AttachStdin: attach && options.interactive,
      AttachStdout: attach,
      AttachStderr: attach,
      Tty: options.tty,
      ...(size && { ConsoleSize: [size.rows, size.columns] }),
      ...(options.workingDirectory !== undefined && { WorkingDir: options.workingDirectory }),
      ...(options.user !== undefined && { User: options.user }),
    }),
  );
  return exec.id;
}

async function exitStatus(engine: Engine, id: string): Promise<number> {
  const { ExitCode } = await requestJson(
    engine.paths.engineSocket,
    { method: 'GET', path: `/exec/${id}/json` },
    v.object({ ExitCode: v.nullable(v.number()) }),
  );
  // Null: the stream ended before the command did.
  return ExitCode ?? 0;
}
