import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { commitContainer } from '../client/files.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { SEVERAL } from '../client/terminal/flags.ts';

export default class Commit extends NestCommand {
  static override summary = 'Make an image of a container';
  static override description =
    "The image has the layers of the container's image and one with what the container wrote. A container that runs stands still meanwhile.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> web web:mended',
    `<%= config.bin %> <%= command.id %> -c 'CMD ["web", "--fast"]' web web:fast`,
  ];
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
    image: Args.string({ description: 'Name of the image', ignoreStdin: true }),
  };
  static override flags = {
    author: Flags.string({ char: 'a', summary: 'Author of the image', helpValue: 'NAME', default: '' }),
    message: Flags.string({ char: 'm', summary: 'Comment in the history', helpValue: 'TEXT', default: '' }),
    change: Flags.string({
      char: 'c',
      summary: 'Instruction of a Dockerfile for the configuration',
      helpValue: 'INSTRUCTION',
      ...SEVERAL,
    }),
    pause: Flags.boolean({
      char: 'p',
      summary: 'Have the container stand still meanwhile, so that no file is taken half written',
      default: true,
      allowNo: true,
    }),
  };

  async run(): Promise<{ id: string }> {
    const { args, flags } = await this.parse(Commit);
    const { author, message, pause, change = [] } = flags;
    const engine = await this.engine();
    const id = await this.withStep(`Committing ${args.container}`, () =>
      commitContainer(
        engine,
        args.container,
        { image: args.image, author, message, pause, changes: change },
        this.signal,
      ),
    );
    this.print(id);
    return { id };
  }
}
