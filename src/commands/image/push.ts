import * as Args from '@oclif/core/args';
import { pushImage } from '../../client/image-transfer.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImagePush extends NestCommand {
  static override summary = 'Send a container image to its registry';
  static override description =
    'The registry is the first part of the name; give an image such a name with `nest image tag`. Layers that the registry ' +
    'has are not sent again. Credentials are those of `skopeo login`, `podman login` and `docker login`.';
  static override examples = ['<%= config.bin %> <%= command.id %> registry.example/team/web:1'];
  static override aliases = ['push'];
  static override args = {
    image: Args.string({ description: 'Name of the image', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ image: string; digest: string }> {
    const { args } = await this.parse(ImagePush);
    const engine = await this.engine();
    const digest = await this.withSteps((progress) => pushImage(engine, args.image, { progress, signal: this.signal }));
    this.print(`${args.image}\n${digest}`);
    return { ...args, digest };
  }
}
