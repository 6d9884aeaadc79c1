import * as Args from '@oclif/core/args';
import { NestCommand } from '../../client/terminal/command.ts';

export default class GuestImageRm extends NestCommand {
  static override summary = 'Remove a guest image that was added';
  static override description = 'Removes the disk image, once no guest boots it any more.';
  static override examples = ['<%= config.bin %> <%= command.id %> debian'];
  static override args = {
    name: Args.string({ description: 'Name of the image', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ name: string }> {
    const { args } = await this.parse(GuestImageRm);
    const engine = await this.engine();
    await engine.nest.removeGuestImage(args.name);
    this.print(args.name);
    return { name: args.name };
  }
}
