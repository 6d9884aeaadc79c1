import * as Flags from '@oclif/core/flags';
import type { Guest } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { shortBytes, shortDuration } from '../../client/terminal/units.ts';

export default class VmList extends NestCommand {
  static override summary = 'List guests';
  static override description =
    'Shows the virtual machines of this engine. SHAPE is what a guest was promised, processors × memory; USED is what it uses of that, HELD what it costs this host, SHARED what it has in common with others.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = {
    quiet: Flags.boolean({ char: 'q', summary: 'Show names only' }),
    zone: Flags.string({ summary: 'Show the guests of one zone', helpValue: 'ZONE' }),
  };

  async run(): Promise<Guest[]> {
    const { flags } = await this.parse(VmList);
    const engine = await this.engine();
    const guests = (await engine.nest.guests({ usage: true })).filter(
      ({ zone }) => flags.zone === undefined || zone === flags.zone,
    );
    if (flags.quiet) for (const { name } of guests) this.print(name);
    else if (guests.length > 0) this.printTable(guests, COLUMNS);
    else this.print('No guests. They come with their first container.');
    return guests;
  }
}

const COLUMNS: Column<Guest>[] = [
  { title: 'NAME', value: ({ name }) => name, shrink: 1 },
  { title: 'ZONE', value: ({ zone }) => zone, shrink: 2 },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'ACCEL', value: ({ accelerator }) => accelerator },
  { title: 'SHAPE', value: ({ vcpus, memory }) => `${vcpus}×${shortBytes(memory)}` },
  { title: 'USED', value: ({ usage }) => known(usage?.used) },
  { title: 'HELD', value: ({ usage }) => known(usage?.held) },
  { title: 'SHARED', value: ({ usage }) => known(usage?.shared) },
  { title: 'CONTAINERS', value: ({ containers }) => String(containers.length) },
  { title: 'UP', value: ({ startedAt }) => (startedAt === null ? '-' : shortDuration(Date.now() - startedAt)) },
];

function known(count: number | null | undefined): string {
  return count == null ? '-' : shortBytes(count);
}
