import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { exportContainer } from '../client/files.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { bytes } from '../client/terminal/units.ts';

export default class Export extends NestCommand {
  static override summary = "Write a container's files as a tar archive";
  static override description = 'All files that the container sees, its image under its changes; to stdout without -o.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> web -o web.tar',
    '<%= config.bin %> <%= command.id %> web | tar -t',
  ];
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
  };
  static override flags = {
    output: Flags.string({ char: 'o', summary: 'File to write; it appears when it is whole', helpValue: 'FILE' }),
  };

  async run(): Promise<{ container: string; file: string; size: number }> {
    const { args, flags } = await this.parse(Export);
    const file = flags.output ?? '-';
    if (file === '-' && (process.stdout.isTTY || this.jsonEnabled()))
      this.error('An archive is no text: name a file with -o, or send stdout into a pipe', { exit: 2 });
    const engine = await this.engine();
    const { container } = args;
    const size = await this.withStep(`Exporting ${container}`, (detail) =>
      exportContainer(engine, container, { file, signal: this.signal, onSize: (size) => detail(bytes(size)) }),
    );
    return { container, file, size };
  }
}
