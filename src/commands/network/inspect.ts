import * as Args from '@oclif/core/args';
import { inspectNetwork } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class NetworkInspect extends NestCommand {
  static override summary = 'Show all that is known of networks, as JSON';
  static override examples = ['<%= config.bin %> <%= command.id %> shop'];
  static override args = {
    networks: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<Record<string, unknown>[]> {
    const { args } = await this.parse(NetworkInspect);
    const engine = await this.engine();
    const networks = await Promise.all(args.networks.map((name) => inspectNetwork(engine, name)));
    this.printJson(networks);
    return networks;
  }
}
