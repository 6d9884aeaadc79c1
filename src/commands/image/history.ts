import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { imageHistory, type HistoryRow } from '../../client/images.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import type { Column } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class ImageHistory extends NestCommand {
  static override summary = 'Show how a container image was made';
  static override description =
    'One line for each instruction, the newest first, with the compressed size of its layer.';
  static override examples = ['<%= config.bin %> <%= command.id %> web:1'];
  static override aliases = ['history'];
  static override args = {
    image: Args.string({ description: 'Name or id', required: true, ignoreStdin: true }),
  };
  static override flags = {
    'no-trunc': Flags.boolean({ summary: 'Show instructions in full' }),
  };

  async run(): Promise<HistoryRow[]> {
    const { args, flags } = await this.parse(ImageHistory);
    const engine = await this.engine();
    const steps = await imageHistory(engine, args.image);
    this.printTable(steps, columns(flags['no-trunc']));
    return steps;
  }
}

function columns(whole: boolean): Column<HistoryRow>[] {
  const instruction = (text: string) =>
    text.replace(/^\/bin\/sh -c #\(nop\)\s+/, '').replace(/\s+/g, ' ') || '<unknown>';
  return [
    { title: 'CREATED', value: ({ createdAt }) => (createdAt === 0 ? '–' : `${duration(Date.now() - createdAt)} ago`) },
    {
      title: 'CREATED BY',
      value: ({ createdBy }) => (whole ? instruction(createdBy) : instruction(createdBy).slice(0, 200)),
      ...(!whole && { shrink: 1 }),
    },
    { title: 'SIZE', value: ({ size }) => bytes(size) },
  ];
}
