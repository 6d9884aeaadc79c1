import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { followStats, readStats, type StatsRow } from '../client/container-stats.ts';
import { listContainers } from '../client/containers.ts';
import type { Engine } from '../client/connect.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { screenOf, table, type Column } from '../client/terminal/table.ts';
import { bytes } from '../client/terminal/units.ts';

export default class StatsCommand extends NestCommand {
  static override summary = 'Show what containers use';
  static override description = [
    'Processor time is in percent of one processor, memory without the page cache that can be given back at once.',
    'Goes on each second until Ctrl+C; with --json each reading is one line.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    { description: 'Once', command: '<%= config.bin %> <%= command.id %> --no-stream hello-web-1' },
  ];
  static override args = {
    containers: Args.string({
      description: 'Names or ids; all that run when none is named',
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = { 'no-stream': Flags.boolean({ summary: 'Show one reading and end' }) };

  async run(): Promise<StatsRow[] | undefined> {
    const { args, flags } = await this.parse(StatsCommand);
    const engine = await this.engine();
    const names = args.containers ?? (await running(engine));
    if (flags['no-stream']) {
      const rows = await Promise.all(names.map((name) => readStats(engine, name, this.signal)));
      if (rows.length > 0) this.printTable(rows, COLUMNS);
      else this.print('No containers are running.');
      return rows;
    }
    await this.follow(engine, names);
    return undefined;
  }

  /** On a terminal the table is drawn over itself; elsewhere each reading is a line of its own. */
  private async follow(engine: Engine, names: string[]): Promise<void> {
    const latest = new Map<string, StatsRow>();
    const draw = this.jsonEnabled() ? jsonLine : process.stdout.isTTY ? overItself() : plainLine();
    if (names.length === 0) this.print('No containers are running.');
    await Promise.all(
      names.map(async (name) => {
        for await (const row of followStats(engine, name, this.signal)) {
          latest.set(row.id, row);
          draw(row, [...latest.values()]);
        }
      }),
    );
  }
}

type Draw = (row: StatsRow, all: StatsRow[]) => void;

const jsonLine: Draw = (row) => void process.stdout.write(`${JSON.stringify(row)}\n`);

function plainLine(): Draw {
  let heading = true;
  return (row) => {
    const [title = '', line = ''] = table([row], COLUMNS, screenOf(process.stdout)).split('\n');
    process.stdout.write(heading ? `${title}\n${line}\n` : `${line}\n`);
    heading = false;
  };
}

/** Goes up over what it drew before, and clears to the end of the screen. */
function overItself(): Draw {
  let drawn = 0;
  return (_row, all) => {
    const text = table(all, COLUMNS, screenOf(process.stdout));
    process.stdout.write(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\r\u001b[J${text}\n`);
    drawn = text.split('\n').length;
  };
}

async function running(engine: Engine): Promise<string[]> {
  return (await listContainers(engine, { all: false, filters: {} })).map(({ id }) => id);
}

const COLUMNS: Column<StatsRow>[] = [
  { title: 'NAME', value: ({ name }) => name, shrink: 1 },
  { title: 'CPU', value: ({ cpu }) => `${cpu.toFixed(1)} %` },
  { title: 'MEMORY', value: ({ memory }) => bytes(memory) },
  { title: 'LIMIT', value: ({ memoryLimit }) => bytes(memoryLimit) },
  { title: 'NET IN / OUT', value: ({ received, sent }) => `${bytes(received)} / ${bytes(sent)}` },
  { title: 'DISK R / W', value: ({ read, written }) => `${bytes(read)} / ${bytes(written)}` },
  { title: 'PIDS', value: ({ pids }) => String(pids) },
];
