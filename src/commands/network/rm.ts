import * as Args from '@oclif/core/args';
import { removeNetwork } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class NetworkRm extends NestCommand {
  static override summary = 'Remove networks that have no containers';
  static override examples = ['<%= config.bin %> <%= command.id %> shop'];
  static override args = {
    networks: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<string[]> {
    const { args } = await this.parse(NetworkRm);
    const engine = await this.engine();
    for (const name of args.networks) {
      await removeNetwork(engine, name);
      this.print(name);
    }
    return args.networks;
  }
}
