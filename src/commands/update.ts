import * as Flags from '@oclif/core/flags';
import { parseRestart } from '../client/docker-values.ts';
import type { Outcome } from '../client/each-container.ts';
import { hostLimits } from '../client/host-limits.ts';
import { CONTAINERS, ContainersCommand } from '../client/terminal/containers-command.ts';
import { LIMIT_FLAGS } from '../client/terminal/limit-flags.ts';
import { NestError } from '../errors.ts';

export default class Update extends ContainersCommand {
  static override summary = 'Change limits and restart policy of containers';
  static override description =
    'What is not named stays. A running container has its new limits at once, and keeps them when it is started again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --memory 512m --cpus 1.5 hello-web-1',
    '<%= config.bin %> <%= command.id %> --restart unless-stopped hello-web-1 hello-db-1',
  ];
  static override args = CONTAINERS;
  static override flags = {
    ...LIMIT_FLAGS,
    restart: Flags.string({
      summary: 'When to start it again: no, always, unless-stopped, on-failure[:N]',
      helpValue: 'POLICY',
    }),
  };

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(Update);
    const body = {
      ...hostLimits(flags),
      ...(flags.restart !== undefined && { RestartPolicy: parseRestart(flags.restart) }),
    };
    if (Object.keys(body).length === 0)
      throw new NestError('invalid-input', 'nothing to change', { hint: 'Example: nest update --memory 512m NAME' });
    return await this.each(args.containers, (container) => container.update(body));
  }
}
