import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';
import { TIME_FLAG } from '../client/terminal/flags.ts';

export default class Restart extends ContainersCommand {
  static override summary = 'Stop containers and start them again';
  static override description = 'Stops each container as `nest stop` does, then starts it.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-web-1'];
  static override args = CONTAINERS;
  static override flags = TIME_FLAG;

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(Restart);
    return await this.each(args.containers, (container) =>
      container.restart({ ...(flags.time !== undefined && { t: flags.time }) }),
    );
  }
}
