import { parseArgs } from 'node:util';
import { type Command, COMMANDS } from './commands.ts';

/** One call of the program. */
export interface Call {
  command: keyof typeof COMMANDS;
  options: GlobalOptions;
  /** Of the command: flags by their long name. */
  flags: Record<string, string | boolean | string[] | undefined>;
  words: string[];
}

export interface GlobalOptions {
  /** Folder of the state of all containers. */
  root: string;
  log: string | undefined;
  logFormat: string;
  systemdCgroup: boolean;
}

interface Usage {
  usage: string;
  failed: boolean;
}

/** Options before the command are the program's, those after it the command's; its first word ends them. */
export function parseArguments(words: string[]): Call | Usage {
  const at = commandIndex(words);
  const name = words[at] ?? '';
  try {
    const { values } = parseArgs({ args: words.slice(0, at), options: GLOBAL, strict: true });
    if (values.version === true) return { usage: VERSION, failed: false };
    if (values.help === true || name === '' || name === 'help') return { usage: usage(), failed: false };
    if (!Object.hasOwn(COMMANDS, name))
      return { usage: `nest-runtime: no such command: ${name}\n${usage()}`, failed: true };
    const command = name as Call['command'];
    const { options, interspersed }: Command = COMMANDS[command];
    const rest = words.slice(at + 1);
    const args = interspersed === false ? endOptions(rest, options) : rest;
    const parsed = parseArgs({ args, options: { ...options, help: HELP }, allowPositionals: true, strict: true });
    if (parsed.values['help'] === true) return { usage: commandUsage(command), failed: false };
    return {
      command,
      options: {
        root: values.root ?? '/run/nest-runtime',
        log: values.log,
        logFormat: values['log-format'] ?? 'text',
        systemdCgroup: values['systemd-cgroup'] ?? false,
      },
      flags: parsed.values,
      words: parsed.positionals,
    };
  } catch (error) {
    return { usage: `nest-runtime: ${error instanceof Error ? error.message : String(error)}\n`, failed: true };
  }
}

function commandIndex(words: string[]): number {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) return index;
    const name = word.replace(/^--?/, '');
    if (Object.hasOwn(GLOBAL, name) && GLOBAL[name as keyof typeof GLOBAL].type === 'string') index += 1;
  }
  return words.length;
}

/** `exec ID ls -l`: what follows the id belongs to the program that is run. */
function endOptions(words: string[], options: Options): string[] {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') return words;
    if (!word.startsWith('-')) return [...words.slice(0, index), '--', ...words.slice(index)];
    const name = word.replace(/^--?/, '');
    const option = options[name] ?? Object.values(options).find(({ short }) => short === name);
    if (option?.type === 'string') index += 1;
  }
  return words;
}

export type Options = Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>;

const HELP = { type: 'boolean', short: 'h' } as const;
const GLOBAL = {
  root: { type: 'string' },
  log: { type: 'string' },
  'log-format': { type: 'string' },
  debug: { type: 'boolean' },
  'systemd-cgroup': { type: 'boolean' },
  rootless: { type: 'string' },
  criu: { type: 'string' },
  version: { type: 'boolean', short: 'v' },
  help: HELP,
} as const;

const usage = () =>
  [
    'Usage: nest-runtime [--root DIR] [--log FILE] [--log-format text|json] [--systemd-cgroup] COMMAND [OPTIONS]',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`),
    '',
  ].join('\n');

function commandUsage(command: Call['command']): string {
  const { summary, words, options }: Command = COMMANDS[command];
  const shown = Object.entries(options).map(([name, { type }]) => `  --${name}${type === 'string' ? ' VALUE' : ''}\n`);
  return `Usage: nest-runtime ${command} [OPTIONS] ${words}\n\n${summary}\n\n${shown.join('')}`;
}

const VERSION = 'nest-runtime version 0.1.0\nspec: 1.2.0\n';
