import * as Args from '@oclif/core/args';
import { pullImage } from '../../client/image-load.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImagePull extends NestCommand {
  static override summary = 'Bring a container image from its registry';
  static override description = 'Copies an image and makes its layers ready for guests.';
  static override examples = ['<%= config.bin %> <%= command.id %> debian:12'];
  static override args = {
    image: Args.string({ description: 'Image, by any name that Docker takes', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ image: string }> {
    const { args } = await this.parse(ImagePull);
    const engine = await this.engine();
    await this.withStep(`Pulling ${args.image}`, (detail) => pullImage(engine, args.image, detail, this.signal));
    this.print(args.image);
    return args;
  }
}
