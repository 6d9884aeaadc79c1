import * as Args from '@oclif/core/args';
import type { Guest } from '../../api.ts';
import type { GuestVerb } from '../guest-path.ts';
import { NestCommand } from './command.ts';

/** What the commands share that bring one guest into another state. */
export abstract class GuestChangeCommand extends NestCommand {
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };

  protected async change(guest: string, verb: GuestVerb): Promise<Guest> {
    const engine = await this.engine();
    const changed = await this.withProgress(
      (view) => engine.nest.changeGuest(guest, verb, (event) => view.show(event), this.signal),
      true,
    );
    this.print(changed.name);
    return changed;
  }
}
