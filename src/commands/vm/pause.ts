import type { Guest } from '../../api.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';

export default class VmPause extends GuestChangeCommand {
  static override summary = 'Pause a guest with its containers';
  static override description =
    'Stops the processors of a guest. Its memory stays as it is; its containers are shown as paused.';
  static override args = GuestChangeCommand.args;
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmPause);
    return this.change(args.guest, 'pause');
  }
}
