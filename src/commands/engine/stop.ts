import { stopEngine } from '../../client/stop-engine.ts';
import { NestCommand } from '../../client/terminal/command.ts';

export default class EngineStop extends NestCommand {
  static override summary = 'Stop the engine';
  static override description = 'Stops the engine; guests and containers go on, and the next engine finds them.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ stopped: boolean }> {
    await this.parse(EngineStop);
    const stopped = await this.withStep('Stopping the engine', () => stopEngine(this.signal));
    this.print(stopped ? 'Stopped the engine; guests and containers go on' : 'No engine runs here');
    return { stopped };
  }
}
