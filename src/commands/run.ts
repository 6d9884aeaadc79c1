import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { containerRequest } from '../client/container-request.ts';
import { createContainer, watchZone } from '../client/create-container.ts';
import { readEnvironment } from '../client/docker-values.ts';
import { startExitCode } from '../client/exit-codes.ts';
import { Capture, captured, ownOutput, type Captured } from '../client/output.ts';
import { healthCheck } from '../client/health-check.ts';
import { hostLimits } from '../client/host-limits.ts';
import { mountSettings } from '../client/mounts.ts';
import { networkRequest } from '../client/network-request.ts';
import { runInForeground, startContainer } from '../client/run-container.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { SEVERAL, TTY_FLAG } from '../client/terminal/flags.ts';
import { HEALTH_FLAGS } from '../client/terminal/health-flags.ts';
import { LIMIT_FLAGS } from '../client/terminal/limit-flags.ts';
import { NETWORK_FLAGS } from '../client/terminal/network-flags.ts';
import { checkTerminal } from '../client/terminal/raw-terminal.ts';
import { SETTING_FLAGS } from '../client/terminal/setting-flags.ts';
import { containerSettings } from '../client/container-settings.ts';

interface RunResult extends Partial<Captured> {
  id: string;
  zone: string;
  /** Of the container's command; not with -d. */
  exitCode?: number;
}

export default class Run extends NestCommand {
  static override summary = 'Run a command in a new container';
  static override description = [
    'Creates a container from an image and runs it, in a guest of its zone. Without -d the command stays until the',
    "container ends, passes output, input (-i) and signals, and exits with the container's status; 125: the container",
    'could not be run, 126: its command is not executable, 127: its command was not found. Flags come before the image.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> --rm debian:12 cat /etc/os-release',
    {
      description: 'A service in zone shop, with half a core and 256 MiB',
      command: '<%= config.bin %> <%= command.id %> -d --name web -p 8080:80 --zone shop --cpus 0.5 -m 256m nginx',
    },
  ];
  static override usage = '<%= command.id %> [FLAGS] IMAGE [COMMAND...]';
  static override args = {
    image: Args.string({ description: 'Image, by any name that Docker takes', required: true, ignoreStdin: true }),
    command: Args.string({ description: "Command in place of the image's", multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    detach: Flags.boolean({ char: 'd', summary: 'Leave it running and print its id' }),
    rm: Flags.boolean({ summary: 'Remove the container when it ends' }),
    name: Flags.string({ summary: 'Name of the container', helpValue: 'NAME' }),
    zone: Flags.string({
      summary: 'Containers of different zones never share a kernel',
      helpValue: 'ZONE',
      default: 'default',
      env: 'NEST_ZONE',
    }),
    shape: Flags.string({
      summary: 'Run in a guest of this shape: small, standard, large, or CPUSxMEMORY such as 2x1536m',
      helpValue: 'SHAPE',
      env: 'NEST_SHAPE',
    }),
    'guest-image': Flags.string({
      summary: 'Run in a guest that boots this image: see nest guest-image list',
      helpValue: 'NAME',
      env: 'NEST_GUEST_IMAGE',
    }),
    interactive: Flags.boolean({ char: 'i', summary: 'Pass stdin' }),
    ...TTY_FLAG,
    env: Flags.string({
      char: 'e',
      summary: 'Set a variable; NAME alone passes yours',
      helpValue: 'NAME=VALUE',
      ...SEVERAL,
    }),
    'env-file': Flags.string({ summary: 'Read variables from a file', helpValue: 'FILE', ...SEVERAL }),
    publish: Flags.string({ char: 'p', summary: 'Publish a port', helpValue: '[[IP:]PORT:]PORT', ...SEVERAL }),
    ...LIMIT_FLAGS,
    ...HEALTH_FLAGS,
    'log-driver': Flags.string({ summary: 'How logs are kept: json-file', helpValue: 'DRIVER' }),
    'log-opt': Flags.string({ summary: 'How much is kept: max-size=10m, max-file=3', helpValue: 'K=V', ...SEVERAL }),
    workdir: Flags.string({ char: 'w', summary: 'Folder to run in', helpValue: 'DIR' }),
    user: Flags.string({ char: 'u', summary: 'User to run as', helpValue: 'USER[:GROUP]' }),
    hostname: Flags.string({ char: 'h', summary: 'Hostname inside', helpValue: 'NAME' }),
    entrypoint: Flags.string({ summary: "Program in place of the image's", helpValue: 'PROGRAM' }),
    label: Flags.string({ char: 'l', summary: 'Set a label', helpValue: 'KEY=VALUE', ...SEVERAL }),
    restart: Flags.string({
      summary: 'When to start it again: no, always, unless-stopped, on-failure[:N]',
      helpValue: 'POLICY',
      default: 'no',
      env: 'NEST_RESTART',
    }),
    volume: Flags.string({
      char: 'v',
      summary: 'Mount a volume; PATH alone makes one that has no name',
      helpValue: '[NAME:]PATH[:ro]',
      ...SEVERAL,
    }),
    mount: Flags.string({
      summary: 'The same in words: type=volume,source=NAME,target=PATH,readonly',
      helpValue: 'OPTIONS',
      ...SEVERAL,
    }),
    ...NETWORK_FLAGS,
    ...SETTING_FLAGS,
    'stop-signal': Flags.string({ summary: 'Signal that stops it', helpValue: 'SIGNAL' }),
    pull: Flags.option({
      options: ['missing', 'always', 'never'] as const,
      summary: 'When to bring the image from its registry',
      default: 'missing',
      env: 'NEST_PULL',
    })(),
  };

  /** Flags end at the image (see pass-through.ts). */
  static passThrough = true;

  async run(): Promise<RunResult> {
    const { args, flags } = await this.parse(Run);
    checkTerminal(flags.interactive && !flags.detach, flags.tty);
    const environment = await readEnvironment(flags['env-file'], flags.env);
    const request = containerRequest({
      ...flags,
      image: args.image,
      command: args.command ?? [],
      environment,
      labels: flags.label ?? [],
      publish: flags.publish ?? [],
      limits: hostLimits(flags),
      health: healthCheck(flags),
      logDriver: flags['log-driver'],
      logOptions: flags['log-opt'] ?? [],
      workingDirectory: flags.workdir,
      stopSignal: flags['stop-signal'],
      guestImage: flags['guest-image'],
      remove: flags.rm,
      settings: await containerSettings(flags),
      mounts: mountSettings(flags),
      networking: networkRequest(flags),
    });
    const engine = await this.engine();
    const view = this.progress({ clear: true });
    await using preparation = watchZone(engine, flags.zone, view);
    const id = await createContainer(engine, request, { pull: flags.pull, view, signal: this.signal });
    if (flags.detach) {
      await startContainer(engine, id);
      await preparation[Symbol.asyncDispose]();
      this.print(id);
      return { id, zone: flags.zone };
    }
    // What is shown on a terminal is not captured.
    const sinks = this.jsonEnabled() && !flags.tty ? { stdout: new Capture(), stderr: new Capture() } : ownOutput();
    const exitCode = await runInForeground(engine, id, {
      interactive: flags.interactive,
      tty: flags.tty,
      remove: flags.rm,
      sinks,
      signal: this.signal,
      onStarted: async () => {
        this.releaseSignals();
        await preparation[Symbol.asyncDispose]();
      },
    });
    if (exitCode === null) {
      this.print(id);
      return { id, zone: flags.zone };
    }
    process.exitCode = exitCode;
    return { id, zone: flags.zone, exitCode, ...captured(sinks) };
  }

  protected override exitCodeOf(error: unknown, exitCode: number): number {
    return exitCode > 2 ? exitCode : startExitCode(error, 125);
  }
}
