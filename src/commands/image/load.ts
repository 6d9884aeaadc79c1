import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { loadImages } from '../../client/image-transfer.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImageLoad extends NestCommand {
  static override summary = 'Load container images from a file';
  static override description =
    'Takes an archive of `docker save` or `podman save`, an OCI archive or an OCI layout folder; `-` is stdin.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello.tar',
    'docker save web | <%= config.bin %> <%= command.id %> -',
  ];
  static override aliases = ['load'];
  static override args = {
    source: Args.string({ description: 'File, folder or -', ignoreStdin: true }),
  };
  static override flags = {
    input: Flags.string({
      char: 'i',
      summary: "The same as the argument: Docker's way to name the file",
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<{ images: string[] }> {
    const { args, flags } = await this.parse(ImageLoad);
    const source = args.source ?? flags.input;
    if (source === undefined) this.error('Name a file, a folder or - for stdin', { exit: 2 });
    const engine = await this.engine();
    const images = await this.withSteps((progress) => loadImages(engine, source, { progress, signal: this.signal }));
    for (const image of images) this.print(`Loaded image: ${image}`);
    return { images };
  }
}
