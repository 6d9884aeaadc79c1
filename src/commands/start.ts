import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';

export default class Start extends ContainersCommand {
  static override summary = 'Start stopped containers';
  static override description = 'Starts containers that were stopped, or created and never started.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-web-1'];
  static override args = CONTAINERS;

  async run(): Promise<Outcome[]> {
    const { args } = await this.parse(Start);
    return await this.each(args.containers, (container) => container.start());
  }
}
