import * as Args from '@oclif/core/args';
import { NestCommand } from '../../client/terminal/command.ts';

export default class VmRestartAgent extends NestCommand {
  static override summary = 'Restart the agent of a guest';
  static override description =
    'Ends the agent as a crash would; init starts it again. The containers of the guest go on.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ guest: string }> {
    const { args } = await this.parse(VmRestartAgent);
    const engine = await this.engine();
    await this.withStep(`Restarting the agent of ${args.guest}`, () => engine.nest.restartAgent(args.guest));
    this.print(args.guest);
    return { guest: args.guest };
  }
}
