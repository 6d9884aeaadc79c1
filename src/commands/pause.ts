import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';

export default class Pause extends ContainersCommand {
  static override summary = 'Pause containers';
  static override description =
    'Every process of the containers stands still where it is and keeps its memory, until `nest unpause`.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-web-1'];
  static override args = CONTAINERS;

  async run(): Promise<Outcome[]> {
    const { args } = await this.parse(Pause);
    return await this.each(args.containers, (container) => container.pause());
  }
}
