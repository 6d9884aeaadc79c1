import * as Args from '@oclif/core/args';
import { removeNetwork } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { ErrorBody } from '../../errors.ts';

interface Outcome {
  /** As the user named it. */
  network: string;
  /** Null: done. */
  error: ErrorBody | null;
}

export default class NetworkRm extends NestCommand {
  static override summary = 'Remove networks that have no containers';
  static override examples = ['<%= config.bin %> <%= command.id %> shop'];
  static override args = {
    networks: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<Outcome[]> {
    const { args } = await this.parse(NetworkRm);
    const engine = await this.engine();
    const outcomes: Outcome[] = [];
    for (const network of args.networks) {
      const error = await this.attempt(async () => {
        await removeNetwork(engine, network);
        this.print(network);
      });
      outcomes.push({ network, error });
    }
    return outcomes;
  }
}
