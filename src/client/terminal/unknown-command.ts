import type { Config } from '@oclif/core/config';
import { formatFailure } from './errors.ts';
import { closest } from './suggest.ts';

/** Says that there is no such command, and which one is near; returns the exit status. */
export function refuseUnknownCommand(config: Config, argv: readonly string[]): number {
  const commands = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const words = argv.filter((word) => !word.startsWith('-'));
  const [topic = ''] = words;
  const typed = config.findTopic(topic) ? words.slice(0, 2).join(' ') : topic;
  const near = closest(typed, commands);
  const body = {
    code: 'invalid-input' as const,
    message: `\`${typed}\` is no nest command`,
    hint: near === undefined ? 'Run `nest --help`.' : `Did you mean \`nest ${near}\`?`,
  };
  process.stderr.write(`${formatFailure(body)}\n`);
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: body })}\n`);
  return 2;
}
