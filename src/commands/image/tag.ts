import * as Args from '@oclif/core/args';
import { NestCommand } from '../../client/terminal/command.ts';

export default class ImageTag extends NestCommand {
  static override summary = 'Give a container image one more name';
  static override description = 'An image that had the name before loses it and stays.';
  static override examples = ['<%= config.bin %> <%= command.id %> web registry.example/team/web:1'];
  static override aliases = ['tag'];
  static override args = {
    image: Args.string({ description: 'Name or id', required: true, ignoreStdin: true }),
    name: Args.string({ description: 'The new name', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ image: string; name: string }> {
    const { args } = await this.parse(ImageTag);
    const engine = await this.engine();
    await engine.docker((docker) => docker.getImage(args.image).tag({ repo: args.name }));
    return args;
  }
}
