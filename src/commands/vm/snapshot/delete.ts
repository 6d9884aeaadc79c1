import * as Args from '@oclif/core/args';
import { NestCommand } from '../../../client/terminal/command.ts';

export default class VmSnapshotDelete extends NestCommand {
  static override summary = 'Delete a snapshot of a guest';
  static override description = 'Gives back the space that a snapshot takes in the disk of its guest.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1 before-upgrade'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
    snapshot: Args.string({ description: 'Name of the snapshot', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ guest: string; snapshot: string }> {
    const { args } = await this.parse(VmSnapshotDelete);
    const engine = await this.engine();
    const title = `Deleting snapshot ${args.snapshot} of ${args.guest}`;
    await this.withStep(title, () => engine.nest.deleteSnapshot(args.guest, args.snapshot));
    this.print(args.snapshot);
    return { guest: args.guest, snapshot: args.snapshot };
  }
}
