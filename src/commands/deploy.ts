import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AcceleratorChoice, type DeployResult, type ServiceResult } from '../api.ts';
import { readComposeFile } from '../client/compose-file.ts';
import { NestCommand } from '../client/terminal/command.ts';
import type { Column } from '../client/terminal/table.ts';

export default class Deploy extends NestCommand {
  static override summary = 'Bring a Compose file to life';
  static override description = [
    'Creates the services of a Compose file as containers, with guests for their zones. Deploying a file again changes',
    'only what differs from what runs. Variables come from the environment and from .env beside the file.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> templates/hello',
    '<%= config.bin %> <%= command.id %> shop/compose.yaml --project-name shop-test',
  ];
  static override args = {
    file: Args.string({ description: 'Compose file, or a folder with one', default: '.', ignoreStdin: true }),
  };
  static override flags = {
    'project-name': Flags.string({
      char: 'p',
      summary: "Name of the project (default: the file's name, or its folder)",
      helpValue: 'NAME',
      env: 'NEST_PROJECT_NAME',
    }),
    accel: Flags.option({
      options: AcceleratorChoice.options,
      summary: 'How new guests run: kvm, or tcg (software emulation)',
      env: 'NEST_ACCEL',
    })(),
  };

  async run(): Promise<DeployResult> {
    const { args, flags } = await this.parse(Deploy);
    const file = await readComposeFile(args.file);
    const engine = await this.engine();
    const request = {
      ...file,
      ...(flags['project-name'] !== undefined && { project: flags['project-name'] }),
      ...(flags.accel !== undefined && { accelerator: flags.accel }),
    };
    const result = await this.withProgress((view) =>
      engine.nest.deploy(request, (event) => view.show(event), this.signal),
    );
    this.#show(result);
    return result;
  }

  #show({ project, services }: DeployResult): void {
    if (services.every(({ action }) => action === 'unchanged')) {
      const count = services.length === 1 ? '1 service' : `${services.length} services`;
      this.print(`${project} is up to date: ${count} unchanged`);
      return;
    }
    this.printTable(services, COLUMNS);
    for (const { service, reason } of services) if (reason !== '') this.print(`${service}: ${reason}`);
  }
}

const COLUMNS: Column<ServiceResult>[] = [
  { title: 'SERVICE', value: ({ service }) => service, shrink: 2 },
  { title: 'ACTION', value: ({ action }) => action },
  { title: 'ZONE', value: ({ zone }) => zone, shrink: 3 },
  { title: 'GUEST', value: ({ guest }) => guest || '-', shrink: 4 },
  { title: 'PORTS', value: ({ ports }) => ports.join(', '), shrink: 1 },
];
