import type { Outcome } from '../client/each-container.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';
import { TIME_FLAG } from '../client/terminal/flags.ts';

export default class Stop extends ContainersCommand {
  static override summary = 'Stop containers';
  static override description =
    'Asks each container to end by its stop signal; one that goes on is killed after a while.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1',
    '<%= config.bin %> <%= command.id %> -t 30 hello-web-1 hello-db-1',
  ];
  static override args = CONTAINERS;
  static override flags = TIME_FLAG;

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(Stop);
    return await this.each(args.containers, (container) =>
      container.stop({ ...(flags.time !== undefined && { t: flags.time }) }),
    );
  }
}
