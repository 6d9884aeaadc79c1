import * as Args from '@oclif/core/args';
import { pullImage } from '../../client/image-transfer.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImagePull extends NestCommand {
  static override summary = 'Bring a container image from its registry';
  static override description =
    'Copies what is missing here of an image, and makes its layers ready for guests. Credentials are those of `skopeo login`, ' +
    '`podman login` and `docker login`; mirrors and registries without TLS are set in registries.conf.';
  static override examples = ['<%= config.bin %> <%= command.id %> debian:12'];
  static override aliases = ['pull'];
  static override args = {
    image: Args.string({ description: 'Image, by any name that Docker takes', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ image: string; digest: string }> {
    const { args } = await this.parse(ImagePull);
    const engine = await this.engine();
    const digest = await this.withSteps((progress) => pullImage(engine, args.image, { progress, signal: this.signal }));
    this.print(args.image);
    return { ...args, digest };
  }
}
