import * as Flags from '@oclif/core/flags';
import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';

export default class Kill extends ContainersCommand {
  static override summary = 'Send a signal to containers';
  static override description = 'Ends containers at once, or sends another signal to their first process.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1',
    '<%= config.bin %> <%= command.id %> -s HUP hello-web-1',
  ];
  static override args = CONTAINERS;
  static override flags = {
    signal: Flags.string({ char: 's', summary: 'Signal to send', helpValue: 'SIGNAL', default: 'KILL' }),
  };

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(Kill);
    return await this.each(args.containers, (container) => container.kill({ signal: flags.signal }));
  }
}
