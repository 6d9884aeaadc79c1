import type { EngineStatus as Status } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { keyValues } from '../../client/terminal/table.ts';
import { duration } from '../../client/terminal/units.ts';

export default class EngineStatus extends NestCommand {
  static override summary = 'Show whether the engine runs';
  static override description = 'Shows the engine of this host; exits with 1 when none runs, and starts none.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<Status & { socket: string; log: string }> {
    await this.parse(EngineStatus);
    const engine = await this.engine({ start: false });
    const status = await engine.nest.status();
    const { engineSocket: socket, engineLog: log } = engine.paths;
    this.print(
      keyValues([
        ['Version', status.version],
        ['Process', `${status.pid}, up ${duration(Date.now() - status.startedAt)}`],
        ['libvirt', status.uri],
        ['Guests', String(status.guests)],
        ['Containers', String(status.containers)],
        ['Data', status.dataDirectory],
        ['Socket', socket],
        ['Log', log],
      ]),
    );
    return { ...status, socket, log };
  }
}
