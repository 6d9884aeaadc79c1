import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { createNetwork } from '../../client/networks.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { SEVERAL } from '../../client/terminal/flags.ts';

export default class NetworkCreate extends NestCommand {
  static override summary = 'Make a network';
  static override description =
    'Its containers find each other by name; they share a guest, and no others reach them. Join it with run --network.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> shop',
    '<%= config.bin %> <%= command.id %> shop --zone shop --subnet 10.5.0.0/24',
  ];
  static override args = { name: Args.string({ description: 'Its name', required: true, ignoreStdin: true }) };
  static override flags = {
    zone: Flags.string({
      summary: 'Zone of its containers; else that of the first',
      helpValue: 'ZONE',
      env: 'NEST_ZONE',
    }),
    subnet: Flags.string({ summary: 'Its addresses, such as 10.5.0.0/24; else any free', helpValue: 'SUBNET' }),
    gateway: Flags.string({ summary: 'Address of its bridge', helpValue: 'ADDRESS', dependsOn: ['subnet'] }),
    internal: Flags.boolean({ summary: 'Without a default route' }),
    label: Flags.string({ char: 'l', summary: 'Set a label', helpValue: 'KEY=VALUE', ...SEVERAL }),
  };

  async run(): Promise<{ id: string }> {
    const { args, flags } = await this.parse(NetworkCreate);
    const id = await createNetwork(await this.engine(), args.name, { ...flags, labels: flags.label ?? [] });
    this.print(id);
    return { id };
  }
}
