import { pruneNetworks } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class NetworkPrune extends NestCommand {
  static override summary = 'Remove all networks that have no containers';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ removed: string[] }> {
    await this.parse(NetworkPrune);
    const removed = await pruneNetworks(await this.engine());
    for (const name of removed) this.print(name);
    return { removed };
  }
}
