import * as Flags from '@oclif/core/flags';
import { LABELS } from '../api.ts';
import { listContainers, type ContainerRow } from '../client/containers.ts';
import { toFilters } from '../client/docker-values.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { filters } from '../client/terminal/flags.ts';
import type { Column } from '../client/terminal/table.ts';

export default class Ps extends NestCommand {
  static override summary = 'List containers';
  static override description = 'Shows the running containers, with the zone and the guest that each runs in.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    { description: 'Stopped ones too', command: '<%= config.bin %> <%= command.id %> -a' },
    { description: 'One zone, ids only', command: '<%= config.bin %> <%= command.id %> -q --zone shop' },
  ];
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Show stopped containers too', env: 'NEST_PS_ALL' }),
    quiet: Flags.boolean({ char: 'q', summary: 'Show ids only' }),
    filter: filters('name=PART, label=KEY[=VALUE] or status=STATUS'),
    zone: Flags.string({ summary: 'Show the containers of one zone', helpValue: 'ZONE' }),
  };

  async run(): Promise<ContainerRow[]> {
    const { flags } = await this.parse(Ps);
    const zone = flags.zone === undefined ? [] : [`label=${LABELS.zone}=${flags.zone}`];
    const engine = await this.engine();
    const containers = await listContainers(engine, {
      all: flags.all,
      filters: toFilters([...(flags.filter ?? []), ...zone]),
    });
    if (flags.quiet) for (const { id } of containers) this.print(id.slice(0, 12));
    else if (containers.length > 0) this.printTable(containers, COLUMNS);
    else this.print(flags.all ? 'No containers.' : 'No containers are running. Stopped ones: nest ps -a');
    return containers;
  }
}

const COLUMNS: Column<ContainerRow>[] = [
  { title: 'NAME', value: ({ name }) => name, shrink: 2 },
  { title: 'ZONE', value: ({ zone }) => zone, shrink: 3 },
  { title: 'GUEST', value: ({ guest }) => guest || '-', shrink: 4 },
  { title: 'IMAGE', value: ({ image }) => shortImage(image), shrink: 5 },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'PORTS', value: ({ ports }) => ports.join(', '), shrink: 1 },
];

/** Without the parts that Docker's names imply. */
function shortImage(image: string): string {
  return image.replace(/^docker\.io\/(library\/)?/, '').replace(/:latest$/, '');
}
