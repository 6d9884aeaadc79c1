import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { NestCommand } from '../../client/terminal/command.ts';

export default class VmDelete extends NestCommand {
  static override summary = 'Delete a guest';
  static override description = 'Deletes a guest without running containers; with -f its containers end with it.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Even while containers run in it' }),
  };

  async run(): Promise<{ guest: string }> {
    const { args, flags } = await this.parse(VmDelete);
    const engine = await this.engine();
    await this.withStep(`Deleting guest ${args.guest}`, () => engine.nest.deleteGuest(args.guest, flags));
    this.print(args.guest);
    return { guest: args.guest };
  }
}
