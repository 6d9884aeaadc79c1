import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { GuestImage } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { NestError } from '../../errors.ts';
import { bytes } from '../../client/terminal/units.ts';

export default class GuestImageAdd extends NestCommand {
  static override summary = "Add a distribution's cloud image, for guests to boot";
  static override description = [
    'Takes a disk that boots by itself and has systemd, sshd and cloud-init: a qcow2, or raw; - is stdin. A guest of it gets',
    'the agent over SSH and runs containers like any other, but boots in its own time.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> debian-12-genericcloud-amd64.qcow2 --name debian',
    { description: 'Boot it', command: '<%= config.bin %> run --guest-image debian --zone web nginx' },
  ];
  static override args = {
    file: Args.string({ description: 'Disk image, or -', required: true, ignoreStdin: true }),
  };
  static override flags = {
    name: Flags.string({ summary: "How guests call it; by default the file's name", helpValue: 'NAME' }),
  };

  async run(): Promise<GuestImage> {
    const { args, flags } = await this.parse(GuestImageAdd);
    const name = flags.name ?? path.basename(args.file).replace(/\.(qcow2|raw|img)$/, '');
    const content = args.file === '-' ? process.stdin : createReadStream('', { fd: await openImage(args.file) });
    const engine = await this.engine();
    const image = await this.withProgress((view) =>
      engine.nest.addGuestImage(name, content, (event) => view.show(event), this.signal),
    );
    this.print(`Added ${image.recipe}: ${bytes(image.size)}, ${image.digest.slice(0, 12)}`);
    return image;
  }
}

async function openImage(file: string) {
  return open(file).catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message;
    throw new NestError('not-found', `read disk image \`${file}\`: ${why}`, {
      hint: "Give the file of a distribution's cloud image, or - to read it from stdin.",
      cause,
    });
  });
}
