import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { NestCommand } from '../../client/terminal/command.ts';
import { removeVolume } from '../../client/volumes.ts';
import type { ErrorBody } from '../../errors.ts';

interface Outcome {
  volume: string;
  /** Null: done. */
  error: ErrorBody | null;
}

export default class VolumeRm extends NestCommand {
  static override summary = 'Remove volumes with all that is in them';
  static override description = 'A volume that a container has, running or not, stays.';
  static override examples = ['<%= config.bin %> <%= command.id %> data'];
  static override args = {
    volumes: Args.string({ description: 'Names', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'One that is not there is no error' }),
  };

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(VolumeRm);
    const engine = await this.engine();
    const outcomes: Outcome[] = [];
    for (const volume of args.volumes) {
      const error = await this.attempt(async () => {
        await removeVolume(engine, volume, flags.force);
        this.print(volume);
      });
      outcomes.push({ volume, error });
    }
    return outcomes;
  }
}
