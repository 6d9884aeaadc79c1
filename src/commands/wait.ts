import * as Flags from '@oclif/core/flags';
import { asNestError, toErrorBody, type ErrorBody } from '../errors.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { CONTAINERS } from '../client/terminal/containers-command.ts';
import { formatFailure } from '../client/terminal/errors.ts';

interface Ended {
  container: string;
  /** Null when it could not be waited for. */
  exitCode: number | null;
  error: ErrorBody | null;
}

export default class Wait extends NestCommand {
  static override summary = 'Wait until containers have ended';
  static override description = 'Prints the exit code of each, in the order they are named.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> job',
    '<%= config.bin %> <%= command.id %> --condition removed job',
  ];
  static override args = CONTAINERS;
  static override flags = {
    condition: Flags.option({
      options: ['not-running', 'next-exit', 'removed'] as const,
      summary: 'What to wait for',
      default: 'not-running' as const,
    })(),
  };

  async run(): Promise<Ended[]> {
    const { args, flags } = await this.parse(Wait);
    const { condition } = flags;
    const engine = await this.engine();
    const waiting = args.containers.map(async (container): Promise<Ended> => {
      try {
        const { StatusCode } = (await engine.docker((docker) =>
          docker.getContainer(encodeURIComponent(container)).wait({ condition, abortSignal: this.signal }),
        )) as { StatusCode: number };
        return { container, exitCode: StatusCode, error: null };
      } catch (error) {
        if (this.signal.aborted) throw error;
        return { container, exitCode: null, error: toErrorBody(asNestError(error)) };
      }
    });
    const ended = await Promise.all(waiting);
    for (const { exitCode, error } of ended) {
      if (exitCode !== null) this.print(String(exitCode));
      else if (error !== null && !this.jsonEnabled()) process.stderr.write(`${formatFailure(error)}\n`);
    }
    if (ended.some(({ error }) => error !== null)) process.exitCode = 1;
    return ended;
  }
}
