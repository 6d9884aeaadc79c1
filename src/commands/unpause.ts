import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';

export default class Unpause extends ContainersCommand {
  static override summary = 'Let paused containers go on';
  static override description = 'Their processes go on where `nest pause` stopped them.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-web-1'];
  static override args = CONTAINERS;

  async run(): Promise<Outcome[]> {
    const { args } = await this.parse(Unpause);
    return await this.each(args.containers, (container) => container.unpause());
  }
}
