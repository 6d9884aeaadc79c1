import * as Args from '@oclif/core/args';
import { NestCommand } from '../client/terminal/command.ts';

export default class Rename extends NestCommand {
  static override summary = 'Give a container another name';
  static override description = 'The container goes on as it is; its hostname inside stays.';
  static override examples = ['<%= config.bin %> <%= command.id %> calm-heron web'];
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
    name: Args.string({ description: 'New name', required: true, ignoreStdin: true }),
  };

  async run(): Promise<{ container: string; name: string }> {
    const { args } = await this.parse(Rename);
    const { container, name } = args;
    const engine = await this.engine();
    await engine.docker((docker) => docker.getContainer(encodeURIComponent(container)).rename({ name }));
    this.print(name);
    return { container, name };
  }
}
