import * as Flags from '@oclif/core/flags';
import { pruneImages, type RemovedImages } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class ImagePrune extends NestCommand {
  static override summary = 'Remove container images that nobody needs';
  static override description =
    'Removes images without a name, and what failed pulls have left; with -a every image that no container was made from.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -a'];
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Also images with a name' }),
  };

  async run(): Promise<RemovedImages & { freed: number }> {
    const { flags } = await this.parse(ImagePrune);
    const engine = await this.engine();
    const pruned = await this.withStep('Pruning images', () => pruneImages(engine, flags.all));
    for (const each of pruned.untagged) this.print(`Untagged: ${each}`);
    for (const each of pruned.deleted) this.print(`Deleted: ${each}`);
    this.print(`Freed ${bytes(pruned.freed)}`);
    return pruned;
  }
}
