import type { Guest } from '../../api.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';

export default class VmReboot extends GuestChangeCommand {
  static override summary = 'Stop a guest and start it again';
  static override description = 'Stops a guest as `nest vm stop` does and boots it anew.';
  static override args = GuestChangeCommand.args;
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmReboot);
    return this.change(args.guest, 'reboot');
  }
}
