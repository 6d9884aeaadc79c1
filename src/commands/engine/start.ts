import type { EngineStatus } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class EngineStart extends NestCommand {
  static override summary = 'Start the engine';
  static override description =
    'Starts the engine of this host, or finds that one runs. Other commands do so themselves.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<EngineStatus & { started: boolean }> {
    await this.parse(EngineStart);
    const engine = await this.engine();
    const status = await engine.nest.status();
    this.print(`${engine.started ? 'Started' : 'Already running:'} engine ${status.version}, process ${status.pid}`);
    return { ...status, started: engine.started };
  }
}
