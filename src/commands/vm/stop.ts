import type { Guest } from '../../api.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';

export default class VmStop extends GuestChangeCommand {
  static override summary = 'Stop a guest with its containers';
  static override description =
    'Stops the containers, each in its own grace period, and turns the guest off. Its disk stays: what the restart policy asks for runs again after `nest vm start`.';
  static override args = GuestChangeCommand.args;
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmStop);
    return this.change(args.guest, 'stop');
  }
}
