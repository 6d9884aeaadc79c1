import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { Capture, outputTo } from '../../client/output.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class VmConsole extends NestCommand {
  static override summary = "Show a guest's serial console";
  static override description =
    'Shows what the kernel and the init of a guest wrote, also of one that does not answer, or ended by itself and is gone.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-1',
    '<%= config.bin %> <%= command.id %> -f --tail 20 hello-1',
  ];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Go on with new output', exclusive: ['json'] }),
    tail: Flags.integer({ char: 'n', summary: 'Number of lines from the end', helpValue: 'N', min: 0, default: 100 }),
  };

  async run(): Promise<{ guest: string; console: string } | undefined> {
    const { args, flags } = await this.parse(VmConsole);
    const engine = await this.engine();
    const { guest } = args;
    const stream = await engine.nest.console(guest, { tail: flags.tail, follow: flags.follow }, this.signal);
    const sink = this.jsonEnabled() ? new Capture() : outputTo(process.stdout);
    for await (const chunk of stream as AsyncIterable<Buffer>) await sink.write(chunk);
    await sink.end();
    return sink instanceof Capture ? { guest, console: sink.text } : undefined;
  }
}
