import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { Capture, captured, ownOutput, type Captured } from '../../client/output.ts';
import { runOverSsh } from '../../client/ssh-shell.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { checkTerminal } from '../../client/terminal/raw-terminal.ts';

interface SshResult extends Partial<Captured> {
  guest: string;
  exitCode: number;
}

export default class VmSsh extends NestCommand {
  static override summary = 'Open a shell on a guest that boots a stock image';
  static override description = [
    "Logs in as root, or runs a command with the guest's shell, and exits with its status; 255 when the connection broke.",
    'Without a command it has a terminal if there is one here. Flags come before the guest.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> web-1',
    '<%= config.bin %> <%= command.id %> web-1 systemctl status nest',
    { description: 'A program that needs a terminal', command: '<%= config.bin %> <%= command.id %> -t web-1 top' },
  ];
  static override usage = '<%= command.id %> [FLAGS] GUEST [COMMAND...]';
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
    command: Args.string({ description: 'Command to run', multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    tty: Flags.boolean({ char: 't', summary: 'Give the command a terminal' }),
  };

  /** Flags end at the guest (see pass-through.ts). */
  static passThrough = true;

  async run(): Promise<SshResult> {
    const { args, flags } = await this.parse(VmSsh);
    checkTerminal(flags.tty, flags.tty);
    // As ssh(1) does: the guest's shell reads the words again.
    const command = args.command?.join(' ');
    const tty =
      flags.tty || (command === undefined && process.stdin.isTTY && process.stdout.isTTY && !this.jsonEnabled());
    const engine = await this.engine();
    const sinks = this.jsonEnabled() ? { stdout: new Capture(), stderr: new Capture() } : ownOutput();
    const exitCode = await runOverSsh(engine, args.guest, {
      command,
      tty,
      sinks,
      signal: this.signal,
      onStarted: () => this.releaseSignals(),
    });
    process.exitCode = exitCode;
    return { guest: args.guest, exitCode, ...captured(sinks) };
  }
}
