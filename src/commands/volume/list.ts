import * as Flags from '@oclif/core/flags';
import { toFilters } from '../../client/docker-values.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { filters } from '../../client/terminal/flags.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes } from '../../client/terminal/units.ts';
import { listVolumes, type VolumeRow } from '../../client/volumes.ts';

export default class VolumeList extends NestCommand {
  static override summary = 'List volumes';
  static override description = 'USED is what a volume takes on this host, SIZE what it can hold.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --filter dangling=true -q',
  ];
  static override aliases = ['volume:ls'];
  static override flags = {
    filter: filters('name=PART, label=KEY[=VALUE] or dangling=true'),
    quiet: Flags.boolean({ char: 'q', summary: 'Show names only' }),
  };

  async run(): Promise<VolumeRow[]> {
    const { flags } = await this.parse(VolumeList);
    const engine = await this.engine();
    const volumes = await listVolumes(engine, toFilters(flags.filter ?? []));
    if (flags.quiet) for (const { name } of volumes) this.print(name);
    else if (volumes.length > 0) this.printTable(volumes, COLUMNS);
    else this.print('No volumes. Make one: nest volume create NAME, or nest run -v NAME:/PATH');
    return volumes;
  }
}

const COLUMNS: Column<VolumeRow>[] = [
  { title: 'VOLUME', value: ({ name }) => name, shrink: 3 },
  { title: 'ZONE', value: ({ zone }) => zone || '-', shrink: 2 },
  { title: 'USED', value: ({ used }) => bytes(used) },
  { title: 'SIZE', value: ({ size }) => bytes(size) },
  { title: 'GUEST', value: ({ guests }) => guests.join(', ') || '-', shrink: 2 },
  { title: 'CONTAINERS', value: ({ containers }) => containers.join(', ') || '-', shrink: 1 },
];
