import { Config } from '@oclif/core/config';
import { execute } from '@oclif/core/execute';
import { normalizeArgv } from '@oclif/core/help';
import { endFlagsAtFirstArgument } from './terminal/pass-through.ts';

/** The command line's way in. @param root the folder of package.json */
export async function main(root: string, argv: string[]): Promise<never> {
  const config = await Config.load(root);
  if (isUnknown(config, argv)) {
    const { refuseUnknownCommand } = await import('./terminal/unknown-command.ts');
    process.exit(refuseUnknownCommand(config, argv));
  }
  await execute({ dir: root, args: endFlags(config, argv), loadOptions: config });
  // A command is over when its work is: an open stdin or an idle connection keeps nobody waiting.
  process.exit();
}

/** Before oclif sees the line: it would take `--help` for its own in `nest run web ls --help`. */
function endFlags(config: Config, [name = '', ...rest]: string[]): string[] {
  const command = config.findCommand(name);
  const words = name === '' ? [] : [name];
  if (command?.['passThrough'] !== true) return [...words, ...rest];
  return [...words, ...endFlagsAtFirstArgument(rest, command.flags)];
}

function isUnknown(config: Config, argv: string[]): boolean {
  const [first] = argv;
  if (first === undefined || first.startsWith('-')) return false;
  const [id = ''] = normalizeArgv(config, [...argv]);
  return !config.findCommand(id) && !config.findTopic(id);
}
