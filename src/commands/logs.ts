import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { demultiplex } from '../client/demultiplex.ts';
import { openLogs } from '../client/logs.ts';
import { jsonLines, ownOutput } from '../client/output.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class Logs extends NestCommand {
  static override summary = "Show a container's output";
  static override description = 'With --json each line is one object: stream and text.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1',
    {
      description: 'The last ten lines with their times, and what comes',
      command: '<%= config.bin %> <%= command.id %> -ft --tail 10 hello-web-1',
    },
  ];
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
  };
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Go on with new output' }),
    tail: Flags.string({
      char: 'n',
      summary: 'Number of lines from the end',
      helpValue: 'N|all',
      default: 'all',
      env: 'NEST_LOGS_TAIL',
    }),
    timestamps: Flags.boolean({ char: 't', summary: 'Show the time of each line', env: 'NEST_LOGS_TIMESTAMPS' }),
    since: Flags.string({ summary: 'Lines from this time on: 2026-01-31T12:00:00Z, or 10m', helpValue: 'TIME' }),
    until: Flags.string({ summary: 'Lines before this time', helpValue: 'TIME' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs);
    const engine = await this.engine();
    const stream = await openLogs(engine, args.container, flags, this.signal);
    await demultiplex(stream, this.jsonEnabled() ? jsonLines(process.stdout) : ownOutput());
  }
}
