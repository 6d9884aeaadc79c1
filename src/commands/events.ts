import * as Flags from '@oclif/core/flags';
import { followEvents, type DockerEvent } from '../client/engine-events.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { SEVERAL } from '../client/terminal/flags.ts';

export default class Events extends NestCommand {
  static override summary = 'Show what happens, as it happens';
  static override description =
    'Goes on until Ctrl+C, or until the time of --until. With --json each line is one object.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'Ends of containers in the last ten minutes',
      command: '<%= config.bin %> <%= command.id %> --since 10m --until 0s --filter event=die',
    },
  ];
  static override flags = {
    since: Flags.string({ summary: 'From this time on: 2026-01-31T12:00:00Z, or 10m', helpValue: 'TIME' }),
    until: Flags.string({ summary: 'Up to this time', helpValue: 'TIME' }),
    filter: Flags.string({
      char: 'f',
      summary: 'Show what matches: event=E, container=C, type=T, label=K=V',
      helpValue: 'K=V',
      ...SEVERAL,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Events);
    const engine = await this.engine();
    for await (const event of followEvents(engine, { ...flags, filters: flags.filter ?? [] }, this.signal)) {
      if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify(event)}\n`);
      else this.print(line(event));
    }
  }
}

function line({ Type, Action, Actor, timeNano }: DockerEvent): string {
  const { name = '', image, exitCode, signal } = Actor.Attributes;
  const details = Object.entries({ image, exitCode, signal }).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}=${value}`,
  );
  const time = new Date(timeNano / 1e6).toISOString();
  return [time, Type, Action, Actor.ID.replace(/^sha256:/, '').slice(0, 12), name, ...details]
    .filter(Boolean)
    .join(' ');
}
