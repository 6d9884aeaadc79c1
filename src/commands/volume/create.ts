import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parseBytes, toMap } from '../../client/docker-values.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { SEVERAL } from '../../client/terminal/flags.ts';
import { createVolume, type VolumeRow } from '../../client/volumes.ts';

export default class VolumeCreate extends NestCommand {
  static override summary = 'Make a volume';
  static override description =
    'A volume is a disk that outlives containers and guests. It belongs to one zone: the one that is named here, or that of its first container. Space is taken when it is written.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> data',
    '<%= config.bin %> <%= command.id %> --zone shop --size 2g data',
  ];
  static override args = {
    name: Args.string({ description: 'Name; one is made up where there is none', ignoreStdin: true }),
  };
  static override flags = {
    size: Flags.string({ summary: 'How much it can hold; 16g by default', helpValue: 'BYTES' }),
    zone: Flags.string({ summary: 'Zone whose containers may use it', helpValue: 'ZONE' }),
    label: Flags.string({ char: 'l', summary: 'Set a label', helpValue: 'KEY=VALUE', ...SEVERAL }),
  };

  async run(): Promise<VolumeRow> {
    const { args, flags } = await this.parse(VolumeCreate);
    const engine = await this.engine();
    const size = flags.size === undefined ? undefined : parseBytes(flags.size);
    const labels = toMap(flags.label ?? []);
    const volume = await createVolume(engine, { name: args.name, zone: flags.zone, size, labels });
    this.print(volume.name);
    return volume;
  }
}
