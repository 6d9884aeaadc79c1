import { listImages, type ImageRow } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class ImageList extends NestCommand {
  static override summary = 'List container images';
  static override description = 'Shows the images in the store of this host.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<ImageRow[]> {
    await this.parse(ImageList);
    const engine = await this.engine();
    const images = await listImages(engine);
    if (images.length > 0) this.printTable(images, COLUMNS);
    else this.print('No images. Load one: nest image load FILE');
    return images;
  }
}

const COLUMNS: Column<ImageRow>[] = [
  { title: 'REPOSITORY', value: ({ repository }) => repository, shrink: 1 },
  { title: 'TAG', value: ({ tag }) => tag, shrink: 2 },
  { title: 'IMAGE ID', value: ({ id }) => id.replace(/^sha256:/, '').slice(0, 12) },
  { title: 'CREATED', value: ({ createdAt }) => `${duration(Date.now() - createdAt)} ago` },
  { title: 'SIZE', value: ({ size }) => bytes(size) },
];
