import * as Args from '@oclif/core/args';
import { containerChanges, type Change } from '../client/files.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class Diff extends NestCommand {
  static override summary = "Show what a container did to its image's files";
  static override description = 'A: added, C: changed, D: deleted.';
  static override examples = ['<%= config.bin %> <%= command.id %> web'];
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
  };

  async run(): Promise<Change[]> {
    const { args } = await this.parse(Diff);
    const engine = await this.engine();
    const changes = await this.withStep(`Comparing ${args.container}`, () =>
      containerChanges(engine, args.container, this.signal),
    );
    for (const { kind, path } of changes) this.print(`${kind} ${path}`);
    return changes;
  }
}
