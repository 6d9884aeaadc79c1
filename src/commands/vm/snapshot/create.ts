import * as Args from '@oclif/core/args';
import type { GuestSnapshot } from '../../../api.ts';
import { NestCommand } from '../../../client/terminal/command.ts';

export default class VmSnapshotCreate extends NestCommand {
  static override summary = 'Take a snapshot of a guest';
  static override description =
    'Keeps a running guest as it is now, with its containers, in its own disk. One of the same name is replaced; all go when the guest is stopped.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1 before-upgrade'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
    snapshot: Args.string({ description: 'Name of the snapshot', required: true, ignoreStdin: true }),
  };

  async run(): Promise<GuestSnapshot> {
    const { args } = await this.parse(VmSnapshotCreate);
    const engine = await this.engine();
    const taken = await this.withProgress(
      (view) => engine.nest.takeSnapshot(args.guest, args.snapshot, (event) => view.show(event), this.signal),
      true,
    );
    this.print(taken.name);
    return taken;
  }
}
