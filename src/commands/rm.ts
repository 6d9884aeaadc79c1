import * as Flags from '@oclif/core/flags';
import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';

export default class Rm extends ContainersCommand {
  static override summary = 'Remove containers';
  static override description = 'Removes stopped containers with their files; with -f running ones too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1',
    '<%= config.bin %> <%= command.id %> -f hello-web-1 hello-db-1',
  ];
  static override args = CONTAINERS;
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Kill it first if it runs' }),
    volumes: Flags.boolean({ char: 'v', summary: 'Remove its anonymous volumes too' }),
  };

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(Rm);
    return await this.each(args.containers, (container) => container.remove({ force: flags.force, v: flags.volumes }));
  }
}
