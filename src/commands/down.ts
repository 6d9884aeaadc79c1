import { stat } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { DownResult } from '../api.ts';
import { readComposeFile } from '../client/compose-file.ts';
import { projectNameOf } from '../client/project-name.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class Down extends NestCommand {
  static override summary = 'Remove what a deploy made';
  static override description =
    'Stops and removes the containers of a project, its networks, and the guests that nothing else needs. Its volumes stay.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello',
    { description: 'The project of the Compose file in this folder', command: '<%= config.bin %> <%= command.id %>' },
  ];
  static override args = {
    project: Args.string({
      description: 'Project, or the file or folder that it was deployed from',
      default: '.',
      ignoreStdin: true,
    }),
  };

  static override flags = {
    volumes: Flags.boolean({ char: 'v', summary: 'Also its volumes, with all that is in them' }),
  };

  async run(): Promise<DownResult> {
    const { args, flags } = await this.parse(Down);
    const project = await projectOf(args.project);
    const engine = await this.engine();
    const result = await this.withProgress((view) =>
      engine.nest.down(project, flags, (event) => view.show(event), this.signal),
    );
    for (const container of result.removed) this.print(`Removed container ${container}`);
    for (const guest of result.guests) this.print(`Removed guest ${guest}`);
    for (const volume of result.volumes) this.print(`Removed volume ${volume}`);
    for (const network of result.networks) this.print(`Removed network ${network}`);
    if (result.removed.length + result.guests.length + result.volumes.length + result.networks.length === 0)
      this.print(`${project} has nothing to remove`);
    return result;
  }
}

/** A word is a project, as in `docker compose -p`; a path (with a slash, or the current folder) is read. */
async function projectOf(argument: string): Promise<string> {
  const isPath = argument === '.' || argument.includes('/') || (await isFile(argument));
  return isPath ? projectNameOf(await readComposeFile(argument)) : argument;
}

async function isFile(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isFile() ?? false;
}
