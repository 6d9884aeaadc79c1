import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { removeImage, type RemovedImages } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { ErrorBody } from '../../errors.ts';

interface Outcome extends RemovedImages {
  /** As the user named it. */
  image: string;
  /** Null: done. */
  error: ErrorBody | null;
}

export default class ImageRm extends NestCommand {
  static override summary = 'Remove container images';
  static override description =
    'Takes names away; an image goes with its last one, and with it what no other image needs. Images of containers stay.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> web:1',
    '<%= config.bin %> <%= command.id %> -f 0123456789ab',
  ];
  static override aliases = ['rmi'];
  static override args = {
    images: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Also all names of an id, and images of stopped containers' }),
  };

  async run(): Promise<Outcome[]> {
    const { args, flags } = await this.parse(ImageRm);
    const engine = await this.engine();
    const outcomes: Outcome[] = [];
    // One after another: the second name of an image finds what the first has left.
    for (const image of args.images) {
      let removed: RemovedImages = { untagged: [], deleted: [] };
      const error = await this.attempt(async () => {
        removed = await removeImage(engine, image, flags.force);
        for (const each of removed.untagged) this.print(`Untagged: ${each}`);
        for (const each of removed.deleted) this.print(`Deleted: ${each}`);
      });
      outcomes.push({ image, error, ...removed });
    }
    return outcomes;
  }
}
