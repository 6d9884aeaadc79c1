import * as Args from '@oclif/core/args';
import type { GuestSnapshot } from '../../../api.ts';
import { NestCommand } from '../../../client/terminal/command.ts';
import type { Column } from '../../../client/terminal/table.ts';
import { duration } from '../../../client/terminal/units.ts';

export default class VmSnapshotList extends NestCommand {
  static override summary = 'List the snapshots of a guest';
  static override description = 'Shows what a guest can be brought back to, oldest first.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };

  async run(): Promise<GuestSnapshot[]> {
    const { args } = await this.parse(VmSnapshotList);
    const engine = await this.engine();
    const snapshots = await engine.nest.snapshots(args.guest);
    if (snapshots.length > 0) this.printTable(snapshots, COLUMNS);
    else this.print(`No snapshots. Take one: nest vm snapshot create ${args.guest} NAME`);
    return snapshots;
  }
}

const COLUMNS: Column<GuestSnapshot>[] = [
  { title: 'NAME', value: ({ name }) => name, shrink: 1 },
  { title: 'AGE', value: ({ createdAt }) => duration(Date.now() - createdAt) },
];
