import * as Flags from '@oclif/core/flags';
import { toFilters } from '../../client/docker-values.ts';
import { listNetworks, type NetworkRow } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { filters } from '../../client/terminal/flags.ts';
import type { Column } from '../../client/terminal/table.ts';

export default class NetworkList extends NestCommand {
  static override summary = 'List networks';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override aliases = ['network:ls'];
  static override flags = {
    filter: filters('name=PART, label=KEY[=VALUE] or dangling=true'),
    quiet: Flags.boolean({ char: 'q', summary: 'Show ids only' }),
  };

  async run(): Promise<NetworkRow[]> {
    const { flags } = await this.parse(NetworkList);
    const networks = await listNetworks(await this.engine(), toFilters(flags.filter ?? []));
    if (flags.quiet) for (const { id } of networks) this.print(id.slice(0, 12));
    else this.printTable(networks, COLUMNS);
    return networks;
  }
}

const COLUMNS: Column<NetworkRow>[] = [
  { title: 'NETWORK ID', value: ({ id }) => id.slice(0, 12) },
  { title: 'NAME', value: ({ name }) => name, shrink: 1 },
  { title: 'DRIVER', value: ({ driver }) => driver },
  { title: 'ZONE', value: ({ zone }) => zone || '-', shrink: 2 },
  { title: 'SUBNET', value: ({ subnet }) => subnet || '-' },
];
