import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { saveImages } from '../../client/image-transfer.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImageSave extends NestCommand {
  static override summary = 'Save container images to a file';
  static override description =
    'Writes one archive that is both: what `docker load` and `podman load` take, and an OCI archive. Without -o it goes to stdout.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -o web.tar web:1',
    '<%= config.bin %> <%= command.id %> web:1 | ssh other nest image load -',
  ];
  static override aliases = ['save'];
  static override strict = false;
  static override args = {
    images: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    output: Flags.string({ char: 'o', summary: 'Write to this file', helpValue: 'FILE' }),
  };

  async run(): Promise<{ images: string[]; file: string | null }> {
    const { args, flags } = await this.parse(ImageSave);
    const images = args.images;
    if (flags.output === undefined && (process.stdout.isTTY || this.jsonEnabled()))
      this.error('The archive is not for a terminal: name a file with -o', { exit: 2 });
    const engine = await this.engine();
    await this.withSteps((progress) => saveImages(engine, images, flags.output, { progress, signal: this.signal }));
    return { images, file: flags.output ?? null };
  }
}
