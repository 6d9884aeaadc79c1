import * as Args from '@oclif/core/args';
import * as v from 'valibot';
import { requestJson } from '../client/http.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class TopCommand extends NestCommand {
  static override summary = 'Show the processes of a container';
  static override description =
    'Process numbers are those of its guest. What comes after the name is for ps(1): aux, or -o pid,args.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello-web-1',
    '<%= config.bin %> <%= command.id %> hello-web-1 -o pid,rss,args',
  ];
  static override usage = '<%= command.id %> CONTAINER [PS OPTIONS...]';
  static override args = {
    container: Args.string({ description: 'Name or id of a container', required: true, ignoreStdin: true }),
    options: Args.string({ description: 'Options of ps', multiple: true, ignoreStdin: true }),
  };

  /** Flags end at the container (see pass-through.ts). */
  static passThrough = true;

  async run(): Promise<Top> {
    const { args } = await this.parse(TopCommand);
    const engine = await this.engine();
    const query = new URLSearchParams({ ps_args: (args.options ?? []).join(' ') });
    const path = `/containers/${encodeURIComponent(args.container)}/top?${query.toString()}`;
    const top = await requestJson(engine.paths.engineSocket, { method: 'GET', path, signal: this.signal }, Top);
    const columns = top.Titles.map((title, index) => ({
      title,
      value: (row: string[]) => row[index] ?? '',
      ...(index === top.Titles.length - 1 && { shrink: 1 }),
    }));
    this.printTable(top.Processes, columns);
    return top;
  }
}

const Top = v.object({ Titles: v.array(v.string()), Processes: v.array(v.array(v.string())) });
type Top = v.InferOutput<typeof Top>;
