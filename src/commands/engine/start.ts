import * as Flags from '@oclif/core/flags';
import type { EngineStatus } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class EngineStart extends NestCommand {
  static override summary = 'Start the engine';
  static override description =
    'Starts the engine of this host, or finds that one runs. Other commands do so themselves.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = {
    pool: Flags.integer({
      summary: 'Keep so many clones of each guest shape in use ready; for an engine that is not running yet',
      helpValue: 'N',
      env: 'NEST_POOL',
      min: 0,
      max: 64,
      default: 0,
    }),
  };

  async run(): Promise<EngineStatus & { started: boolean }> {
    const { flags } = await this.parse(EngineStart);
    // The engine inherits it.
    process.env['NEST_POOL'] = String(flags.pool);
    const engine = await this.engine();
    const status = await engine.nest.status();
    this.print(`${engine.started ? 'Started' : 'Already running:'} engine ${status.version}, process ${status.pid}`);
    return { ...status, started: engine.started };
  }
}
