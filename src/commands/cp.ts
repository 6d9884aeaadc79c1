import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import path from 'node:path';
import { copyFromContainer, copyToContainer } from '../client/copy/copy.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { bytes } from '../client/terminal/units.ts';

interface Copied {
  from: string;
  to: string;
  size: number;
}

export default class Cp extends NestCommand {
  static override summary = 'Copy files into a container or out of it';
  static override description =
    "One side is CONTAINER:PATH. A folder that ends in /. stands for what is in it; - is a tar archive on stdin or stdout. Into a container files come as root's.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> web:/var/log/. logs',
    '<%= config.bin %> <%= command.id %> site.conf web:/etc/site.conf',
    'tar -c site | <%= config.bin %> <%= command.id %> - web:/srv',
  ];
  static override args = {
    from: Args.string({ description: 'CONTAINER:PATH, a path here, or -', required: true, ignoreStdin: true }),
    to: Args.string({ description: 'CONTAINER:PATH, a path here, or -', required: true, ignoreStdin: true }),
  };
  static override flags = {
    archive: Flags.boolean({ char: 'a', summary: 'Keep owners' }),
    'follow-link': Flags.boolean({ char: 'L', summary: 'Copy what a link leads to' }),
    quiet: Flags.boolean({ char: 'q', summary: 'Do not show progress' }),
  };

  async run(): Promise<Copied> {
    const { args, flags } = await this.parse(Cp);
    const [from, to] = [containerPath(args.from), containerPath(args.to)];
    if ((from === undefined) === (to === undefined))
      this.error('Copy between a container and this machine: one of the two is CONTAINER:PATH', { exit: 2 });
    if (args.to === '-' && (process.stdout.isTTY || this.jsonEnabled()))
      this.error('An archive is no text: send stdout into a file or a pipe', { exit: 2 });
    const engine = await this.engine();
    const common = { followLink: flags['follow-link'], owners: flags.archive, signal: this.signal };
    const copy = (onSize: (size: number) => void) =>
      to === undefined
        ? copyFromContainer(engine, { ...common, onSize, ...(from ?? NOWHERE), local: args.to })
        : copyToContainer(engine, { ...common, onSize, ...to, local: args.from });
    const size = flags.quiet
      ? await copy(() => undefined)
      : await this.withStep(`Copying ${args.from}`, (detail) => copy((size) => detail(bytes(size))));
    return { from: args.from, to: args.to, size };
  }
}

/** `web:/path`; what begins with a dot or a slash is of this machine. A path in a container begins at its root. */
function containerPath(text: string): { container: string; path: string } | undefined {
  const at = text.indexOf(':');
  if (at < 1 || path.isAbsolute(text) || text.startsWith('.')) return undefined;
  const inside = text.slice(at + 1);
  return { container: text.slice(0, at), path: inside.startsWith('/') ? inside : `/${inside}` };
}

const NOWHERE = { container: '', path: '/' };
