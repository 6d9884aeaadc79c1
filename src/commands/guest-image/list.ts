import type { GuestImage } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class GuestImageList extends NestCommand {
  static override summary = 'List guest images';
  static override description = 'Shows the images that guests of this host can boot.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<GuestImage[]> {
    await this.parse(GuestImageList);
    const engine = await this.engine();
    const images = await engine.nest.guestImages();
    if (images.length > 0) this.printTable(images, COLUMNS);
    else this.print('No guest images. Build one: nest guest-image build');
    return images;
  }
}

const COLUMNS: Column<GuestImage>[] = [
  { title: 'NAME', value: ({ recipe }) => recipe, shrink: 1 },
  { title: 'DIGEST', value: ({ digest }) => digest.replace(/^sha256:/, '').slice(0, 12) },
  { title: 'KERNEL', value: ({ kernel }) => kernel ?? 'its own', shrink: 2 },
  { title: 'SIZE', value: ({ size }) => bytes(size) },
  { title: 'CREATED', value: ({ createdAt }) => `${duration(Date.now() - createdAt)} ago` },
];
