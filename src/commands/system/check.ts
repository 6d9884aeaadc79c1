import * as Flags from '@oclif/core/flags';
import type { StoreCheck } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class SystemCheck extends NestCommand {
  static override summary = 'Prove that images and layers are whole';
  static override description =
    'Reads every blob, name and layer disk of the store, and looks for what is half made. Ends with status 1 when something is wrong.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --repair'];
  static override flags = {
    repair: Flags.boolean({
      summary: 'Remove what is damaged: disks are made again by themselves, images must be pulled or loaded again',
    }),
  };

  async run(): Promise<StoreCheck> {
    const { flags } = await this.parse(SystemCheck);
    const engine = await this.engine();
    const check = await this.withProgress(
      (view) => engine.nest.check(flags.repair, (event) => view.show(event), this.signal),
      true,
    );
    for (const { object, message } of check.problems) this.print(`${object}: ${message}`);
    const { images, blobs, disks, problems } = check;
    const read = `${images} images, ${blobs} blobs, ${disks} layer disks, ${bytes(check.bytes)} read`;
    this.print(
      problems.length === 0
        ? `All is whole: ${read}`
        : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}; whole: ${read}`,
    );
    if (problems.length > 0 && !flags.repair) this.print('Mend it with: nest system check --repair');
    if (problems.length > 0) process.exitCode = flags.repair ? 0 : 1;
    return check;
  }
}
