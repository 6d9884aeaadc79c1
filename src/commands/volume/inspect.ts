import * as Args from '@oclif/core/args';
import { NestCommand } from '../../client/terminal/command.ts';

export default class VolumeInspect extends NestCommand {
  static override summary = 'Show all about volumes';
  static override description =
    "Prints JSON, as Docker's API has it; `Nest` says the zone, the size, and which guest has it for which containers.";
  static override examples = ['<%= config.bin %> <%= command.id %> data'];
  static override args = {
    volumes: Args.string({ description: 'Names', required: true, multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<unknown[]> {
    const { args } = await this.parse(VolumeInspect);
    const engine = await this.engine();
    const volumes = await Promise.all(
      args.volumes.map((name) => engine.docker((docker) => docker.getVolume(encodeURIComponent(name)).inspect())),
    );
    this.printJson(volumes);
    return volumes;
  }
}
