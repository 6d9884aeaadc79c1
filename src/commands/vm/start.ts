import type { Guest } from '../../api.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';

export default class VmStart extends GuestChangeCommand {
  static override summary = 'Start a guest that was stopped';
  static override description =
    'Boots a stopped guest with the disk that it has and starts the containers whose restart policy asks for it.';
  static override args = GuestChangeCommand.args;
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmStart);
    return this.change(args.guest, 'start');
  }
}
