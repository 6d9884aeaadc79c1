import * as Flags from '@oclif/core/flags';
import type { Guest } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class VmList extends NestCommand {
  static override summary = 'List guests';
  static override description =
    'Shows the virtual machines of this engine. SHAPE is what a guest was promised, processors × memory; HELD is what it costs this host.';
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
  { title: 'SHAPE', value: ({ vcpus, memory }) => `${vcpus} × ${bytes(memory)}` },
  { title: 'HELD', value: ({ usage }) => (usage?.held == null ? '-' : bytes(usage.held)) },
  { title: 'CONTAINERS', value: ({ containers }) => String(containers.length) },
  { title: 'UPTIME', value: ({ createdAt }) => duration(Date.now() - createdAt) },
];
