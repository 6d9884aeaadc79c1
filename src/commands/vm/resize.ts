import * as Flags from '@oclif/core/flags';
import type { Guest } from '../../api.ts';
import { parseBytes } from '../../client/docker-values.ts';
import { GuestChangeCommand } from '../../client/terminal/guest-change.ts';
import { bytes } from '../../client/terminal/units.ts';
import { NestError } from '../../errors.ts';

export default class VmResize extends GuestChangeCommand {
  static override summary = 'Change the processors and memory of a guest';
  static override description = [
    'From its next start on: a guest that runs keeps what it has until then, and with --reboot that is now.',
    'New containers are placed in what it has both now and then.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> web-1 --memory 2g --reboot',
    '<%= config.bin %> <%= command.id %> web-1 --cpus 4',
  ];
  static override args = GuestChangeCommand.args;
  static override flags = {
    cpus: Flags.integer({ summary: 'Processors', helpValue: 'N', min: 1, max: 64 }),
    memory: Flags.string({ char: 'm', summary: 'Memory: 1536m, 2g', helpValue: 'BYTES' }),
    reboot: Flags.boolean({ summary: 'Reboot it, if it runs' }),
  };

  async run(): Promise<Guest> {
    const { args, flags } = await this.parse(VmResize);
    if (flags.cpus === undefined && flags.memory === undefined)
      throw new NestError('invalid-input', 'nothing to change', { hint: 'Example: nest vm resize web-1 --memory 2g' });
    const memory = flags.memory === undefined ? undefined : parseBytes(flags.memory);
    const engine = await this.engine();
    const guest = await engine.nest.resizeGuest(args.guest, { vcpus: flags.cpus, memory });
    if (flags.reboot && guest.next !== null && guest.state !== 'stopped') return this.change(args.guest, 'reboot');
    const what = ({ vcpus, memory }: { vcpus: number; memory: number }) => `${vcpus} × ${bytes(memory)}`;
    if (guest.next === null) this.print(`${guest.name} has ${what(guest)}`);
    else
      this.print(
        `${guest.name} has ${what(guest.next)} from its next start on: nest vm ${guest.state === 'stopped' ? 'start' : 'reboot'} ${guest.name}`,
      );
    return guest;
  }
}
