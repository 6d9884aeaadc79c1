import * as Flags from '@oclif/core/flags';
import { pruneContainers } from '../../client/containers.ts';
import { pruneImages, type RemovedImages } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { confirm } from '../../client/terminal/confirm.ts';
import { pruneVolumes } from '../../client/volumes.ts';
import { bytes } from '../../client/terminal/units.ts';

interface Pruned extends RemovedImages {
  containers: string[];
  volumes: string[];
  /** Bytes. */
  freed: number;
}

export default class SystemPrune extends NestCommand {
  static override summary = 'Remove what nobody uses';
  static override description =
    'Removes stopped containers and images without a name; with -a every image that no container was made from.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -a --force'];
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Also images with a name' }),
    volumes: Flags.boolean({ summary: 'Also nameless volumes that no container has' }),
    force: Flags.boolean({ char: 'f', summary: 'Do not ask' }),
  };

  async run(): Promise<Pruned> {
    const { flags } = await this.parse(SystemPrune);
    if (
      !flags.force &&
      !(await confirm(`Remove all stopped containers and ${flags.all ? 'unused' : 'nameless'} images?`, this.signal))
    )
      return { containers: [], volumes: [], untagged: [], deleted: [], freed: 0 };
    const engine = await this.engine();
    const containers = await this.withStep('Pruning containers', () => pruneContainers(engine));
    const volumes = flags.volumes
      ? await this.withStep('Pruning volumes', () => pruneVolumes(engine, false))
      : { volumes: [], freed: 0 };
    const images = await this.withStep('Pruning images', () => pruneImages(engine, flags.all));
    for (const each of containers) this.print(`Removed container: ${each.slice(0, 12)}`);
    for (const each of volumes.volumes) this.print(`Removed volume: ${each}`);
    for (const each of images.untagged) this.print(`Untagged: ${each}`);
    for (const each of images.deleted) this.print(`Deleted: ${each}`);
    const freed = images.freed + volumes.freed;
    this.print(`Freed ${bytes(freed)}`);
    return { containers, volumes: volumes.volumes, ...images, freed };
  }
}
