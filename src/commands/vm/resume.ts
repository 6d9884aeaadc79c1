import type { Guest } from '../../api.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';

export default class VmResume extends GuestChangeCommand {
  static override summary = 'Let a paused guest go on';
  static override description = 'Starts the processors of a paused guest again, where they stopped.';
  static override args = GuestChangeCommand.args;
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];

  async run(): Promise<Guest> {
    const { args } = await this.parse(VmResume);
    return this.change(args.guest, 'resume');
  }
}
