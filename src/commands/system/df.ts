import type { DiskUsage } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class SystemDf extends NestCommand {
  static override summary = 'Show what takes disk space';
  static override description =
    'SIZE is what the file system gave, shared layers counted once; RECLAIMABLE is what `nest system prune -a` would free.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<DiskUsage> {
    await this.parse(SystemDf);
    const engine = await this.engine();
    const usage = await this.withStep('Adding up', () => engine.nest.disk());
    this.printTable(usage, COLUMNS);
    return usage;
  }
}

const COLUMNS: Column<DiskUsage[number]>[] = [
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'TOTAL', value: ({ total }) => (total === 0 ? '–' : String(total)) },
  { title: 'ACTIVE', value: ({ total, active }) => (total === 0 ? '–' : String(active)) },
  { title: 'SIZE', value: ({ size }) => bytes(size) },
  { title: 'RECLAIMABLE', value: ({ reclaimable }) => (reclaimable === 0 ? '–' : bytes(reclaimable)) },
];
