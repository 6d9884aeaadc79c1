import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { NestCommand } from '../../client/terminal/command.ts';

export default class VolumeUpdate extends NestCommand {
  static override summary = 'Give a volume to another zone';
  static override description =
    'Its files then belong to the containers of that zone. No container may have it meanwhile, running or not.';
  static override examples = ['<%= config.bin %> <%= command.id %> --zone public data'];
  static override args = {
    volume: Args.string({ description: 'Name', required: true, ignoreStdin: true }),
  };
  static override flags = {
    zone: Flags.string({ summary: 'Zone whose containers may use it', helpValue: 'ZONE', required: true }),
  };

  async run(): Promise<{ volume: string; zone: string }> {
    const { args, flags } = await this.parse(VolumeUpdate);
    const engine = await this.engine();
    await engine.nest.giveVolume(args.volume, flags.zone);
    this.print(args.volume);
    return { volume: args.volume, zone: flags.zone };
  }
}
