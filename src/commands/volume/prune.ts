import * as Flags from '@oclif/core/flags';
import { NestCommand } from '../../client/terminal/command.ts';
import { confirm } from '../../client/terminal/confirm.ts';
import { bytes } from '../../client/terminal/units.ts';
import { pruneVolumes } from '../../client/volumes.ts';

interface Pruned {
  volumes: string[];
  /** Bytes. */
  freed: number;
}

export default class VolumePrune extends NestCommand {
  static override summary = 'Remove volumes that no container has';
  static override description = 'Removes those that nobody named; with -a all that no container has.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -a --force'];
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Also those with a name' }),
    force: Flags.boolean({ char: 'f', summary: 'Do not ask' }),
  };

  async run(): Promise<Pruned> {
    const { flags } = await this.parse(VolumePrune);
    const what = `Remove all ${flags.all ? '' : 'nameless '}volumes that no container has, with what is in them?`;
    if (!flags.force && !(await confirm(what, this.signal))) return { volumes: [], freed: 0 };
    const engine = await this.engine();
    const pruned = await this.withStep('Pruning volumes', () => pruneVolumes(engine, flags.all));
    for (const each of pruned.volumes) this.print(`Removed volume: ${each}`);
    this.print(`Freed ${bytes(pruned.freed)}`);
    return pruned;
  }
}
