import * as Args from '@oclif/core/args';
import type { Guest } from '../../../api.ts';
import { NestCommand } from '../../../client/terminal/command.ts';

export default class VmSnapshotRestore extends NestCommand {
  static override summary = 'Make a guest what it was';
  static override description =
    'Brings a guest back to a snapshot, with the containers that ran then. Those that were made since are lost.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1 before-upgrade'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
    snapshot: Args.string({ description: 'Name of the snapshot', required: true, ignoreStdin: true }),
  };

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmSnapshotRestore);
    const engine = await this.engine();
    const guest = await this.withProgress(
      (view) => engine.nest.restoreSnapshot(args.guest, args.snapshot, (event) => view.show(event), this.signal),
      true,
    );
    this.print(guest.name);
    return guest;
  }
}
