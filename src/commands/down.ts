import { stat } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import type { DownResult } from '../api.ts';
import { readComposeFile } from '../client/compose-file.ts';
import { projectNameOf } from '../client/project-name.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class Down extends NestCommand {
  static override summary = 'Remove what a deploy made';
  static override description =
    'Stops and removes the containers of a project, and the guests that nothing else needs.';
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

  async run(): Promise<DownResult> {
    const { args } = await this.parse(Down);
    const project = await projectOf(args.project);
    const engine = await this.engine();
    const result = await this.withProgress((view) =>
      engine.nest.down(project, (event) => view.show(event), this.signal),
    );
    for (const container of result.removed) this.print(`Removed container ${container}`);
    for (const guest of result.guests) this.print(`Removed guest ${guest}`);
    if (result.removed.length + result.guests.length === 0) this.print(`${project} has nothing to remove`);
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
