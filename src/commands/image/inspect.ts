import * as Args from '@oclif/core/args';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImageInspect extends NestCommand {
  static override summary = 'Show all about container images';
  static override description = "Prints JSON, as Docker's API has it.";
  static override examples = ['<%= config.bin %> <%= command.id %> web:1'];
  static override args = {
    images: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<unknown[]> {
    const { args } = await this.parse(ImageInspect);
    const engine = await this.engine();
    const images = await Promise.all(
      args.images.map((name) => engine.docker((docker) => docker.getImage(name).inspect())),
    );
    this.printJson(images);
    return images;
  }
}
