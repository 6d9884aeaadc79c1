import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { readEnvironment } from '../client/docker-values.ts';
import { execDetached, execInForeground } from '../client/exec-container.ts';
import { startExitCode } from '../client/exit-codes.ts';
import { Capture, captured, ownOutput, type Captured } from '../client/output.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { SEVERAL, TTY_FLAG } from '../client/terminal/flags.ts';
import { checkTerminal } from '../client/terminal/raw-terminal.ts';

interface ExecResult extends Partial<Captured> {
  container: string;
  /** Of the command; not with -d. */
  exitCode?: number;
}

export default class Exec extends NestCommand {
  static override summary = 'Run a command in a running container';
  static override description = [
    "Passes the command's output and exits with its status; 126: the command is not executable, 127: it was not found.",
    'Flags come before the container.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1 ls -l /',
    { description: 'A shell', command: '<%= config.bin %> <%= command.id %> -it hello-web-1 sh' },
    { description: 'Its input is a pipe', command: 'echo "select 1" | <%= config.bin %> <%= command.id %> -i db psql' },
  ];
  static override usage = '<%= command.id %> [FLAGS] CONTAINER COMMAND...';
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
    command: Args.string({ description: 'Command to run', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    interactive: Flags.boolean({ char: 'i', summary: 'Pass stdin' }),
    ...TTY_FLAG,
    detach: Flags.boolean({ char: 'd', summary: 'Leave it running', exclusive: ['interactive'] }),
    env: Flags.string({
      char: 'e',
      summary: 'Set a variable; NAME alone passes yours',
      helpValue: 'NAME=VALUE',
      ...SEVERAL,
    }),
    'env-file': Flags.string({ summary: 'Read variables from a file', helpValue: 'FILE', ...SEVERAL }),
    workdir: Flags.string({ char: 'w', summary: 'Folder to run in', helpValue: 'DIR' }),
    user: Flags.string({ char: 'u', summary: 'User to run as', helpValue: 'USER[:GROUP]' }),
  };

  /** Flags end at the container (see pass-through.ts). */
  static passThrough = true;

  async run(): Promise<ExecResult> {
    const { args, flags } = await this.parse(Exec);
    checkTerminal(flags.interactive, flags.tty);
    const options = {
      command: args.command,
      environment: await readEnvironment(flags['env-file'], flags.env),
      workingDirectory: flags.workdir,
      user: flags.user,
      interactive: flags.interactive,
      tty: flags.tty,
    };
    const engine = await this.engine();
    const { container } = args;
    if (flags.detach) {
      await execDetached(engine, container, options);
      return { container };
    }
    // From here on Ctrl+C ends the client alone, as in Docker: an exec has no signals of its own in the API.
    this.releaseSignals();
    const sinks = this.jsonEnabled() ? { stdout: new Capture(), stderr: new Capture() } : ownOutput();
    const exitCode = await execInForeground(engine, container, options, sinks);
    if (exitCode === null) return { container };
    process.exitCode = exitCode;
    return { container, exitCode, ...captured(sinks) };
  }

  protected override exitCodeOf(error: unknown, exitCode: number): number {
    return exitCode === 1 ? startExitCode(error, 1) : exitCode;
  }
}
