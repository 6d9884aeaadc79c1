import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { GuestImage } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class GuestImageBuild extends NestCommand {
  static override summary = 'Build the image that guests boot';
  static override description = [
    'Builds kernel, initrd and root file system of a recipe from Debian and npm packages, and the agent part. A build of',
    'the same inputs is there already and takes no time.',
  ].join(' ');
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --force'];
  static override args = {
    recipe: Args.string({ description: 'Folder under images/', default: 'debian-12', ignoreStdin: true }),
  };
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Build even if it is there', env: 'NEST_GUEST_IMAGE_FORCE' }),
  };

  async run(): Promise<GuestImage> {
    const { args, flags } = await this.parse(GuestImageBuild);
    const engine = await this.engine();
    const options = { recipe: args.recipe, force: flags.force };
    const image = await this.withProgress((view) =>
      engine.nest.buildGuestImage(options, (event) => view.show(event), this.signal),
    );
    const what = `${image.recipe}: kernel ${image.kernel ?? ''}, ${bytes(image.size)}, ${shortDigest(image.digest)}`;
    this.print(image.built ? `Built ${what}` : `Up to date: ${what}`);
    return image;
  }
}

function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
