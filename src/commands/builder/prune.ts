import * as v from 'valibot';
import { NestCommand } from '../../client/terminal/command.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class BuilderPrune extends NestCommand {
  static override summary = 'Forget what builds have done';
  static override description = 'The next builds do every step anew. Layers of images stay.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ freed: number }> {
    await this.parse(BuilderPrune);
    const engine = await this.engine();
    const reply: unknown = await this.withStep('Forgetting builds', () =>
      engine.docker((docker) => docker.pruneBuilder()),
    );
    const { SpaceReclaimed: freed } = v.parse(v.object({ SpaceReclaimed: v.number() }), reply);
    this.print(`Freed ${bytes(freed)}`);
    return { freed };
  }
}
