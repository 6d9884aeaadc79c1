import * as Flags from '@oclif/core/flags';
import { toFilters } from '../../client/docker-values.ts';
import { listImages, type ImageRow } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { filters } from '../../client/terminal/flags.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class ImageList extends NestCommand {
  static override summary = 'List container images';
  static override description = 'Shows the images in the store of this host; SIZE is that of the compressed layers.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --filter dangling=true -q',
  ];
  static override aliases = ['images'];
  static override flags = {
    filter: filters('reference=PATTERN, label=KEY[=VALUE] or dangling=true'),
    quiet: Flags.boolean({ char: 'q', summary: 'Show ids only' }),
    'no-trunc': Flags.boolean({ summary: 'Show ids in full' }),
  };

  async run(): Promise<ImageRow[]> {
    const { flags } = await this.parse(ImageList);
    const engine = await this.engine();
    const images = await listImages(engine, toFilters(flags.filter ?? []));
    const id = (row: ImageRow) => (flags['no-trunc'] ? row.id : row.id.replace(/^sha256:/, '').slice(0, 12));
    if (flags.quiet) for (const each of new Set(images.map(id))) this.print(each);
    else if (images.length > 0) this.printTable(images, columns(id));
    else this.print('No images. Bring one in: nest image pull NAME, or nest image load FILE');
    return images;
  }
}

function columns(id: (row: ImageRow) => string): Column<ImageRow>[] {
  return [
    { title: 'REPOSITORY', value: ({ repository }) => repository, shrink: 1 },
    { title: 'TAG', value: ({ tag }) => tag, shrink: 2 },
    { title: 'IMAGE ID', value: id },
    { title: 'CREATED', value: ({ createdAt }) => `${duration(Date.now() - createdAt)} ago` },
    { title: 'SIZE', value: ({ size }) => bytes(size) },
  ];
}
