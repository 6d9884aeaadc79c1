import { parseHealthcheck } from './healthcheck.ts';
import type { Assignment, Command, InstructionBody } from './instruction.ts';
import type { RawInstruction } from './lines.ts';
import type { DockerfileProblem } from './problem.ts';
import { parseMounts } from './mounts.ts';
import { jsonList, splitWords, takeFlags } from './words.ts';

export interface ParserInput extends RawInstruction {
  escape: string;
  fail: (why: string, options?: { unsupported?: boolean }) => DockerfileProblem;
}

/** What each instruction makes of its arguments. */
export const PARSERS: Record<string, (input: ParserInput) => InstructionBody> = {
  FROM(input) {
    const { flags, rest } = takeFlags(input.rest, input.escape);
    onlyFlags(input, flags, ['platform']);
    const platform = flags.get('platform')?.at(-1);
    if (platform !== undefined && !/^(linux\/(amd64|x86_64)|\$\{?(BUILD|TARGET)PLATFORM\}?)$/.test(platform))
      throw input.fail(`--platform=${platform}: guests run linux/amd64`, { unsupported: true });
    const [image = '', as, stage, more] = rest.split(/\s+/);
    if (as !== undefined && (as.toUpperCase() !== 'AS' || stage === undefined || more !== undefined))
      throw input.fail('it is FROM IMAGE [AS NAME]');
    if (stage !== undefined && !/^[a-z][a-z0-9_.-]*$/i.test(stage))
      throw input.fail(`invalid name of a stage: ${stage}`);
    return { kind: 'from', image, stage: stage?.toLowerCase() ?? null };
  },

  RUN(input) {
    const { flags, rest } = takeFlags(input.rest, input.escape);
    onlyFlags(input, flags, ['mount', 'network', 'security']);
    const network = flags.get('network')?.at(-1) ?? 'none';
    if (!['none', 'default'].includes(network)) throw input.fail(`--network=${network}`, { unsupported: true });
    const security = flags.get('security')?.at(-1) ?? 'sandbox';
    if (security !== 'sandbox') throw input.fail(`--security=${security}`, { unsupported: true });
    if (rest === '') throw input.fail('no command');
    const secrets = parseMounts(input, flags.get('mount') ?? []);
    return { kind: 'run', command: command(rest), heredocs: input.heredocs, secrets };
  },

  COPY: (input) => copy(input, false),
  ADD: (input) => copy(input, true),
  ENV: (input) => ({ kind: 'env', assignments: assignments(input) }),
  LABEL: (input) => ({ kind: 'label', assignments: assignments(input) }),

  ARG(input) {
    const args = splitWords(input.rest, input.escape).map((word) => {
      const [, name = '', value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(word) ?? [];
      if (name === '') throw input.fail(`invalid name: ${word}`);
      return { name, value: value ?? null };
    });
    return { kind: 'arg', args };
  },

  WORKDIR: (input) => ({ kind: 'workdir', word: input.rest }),
  USER: (input) => ({ kind: 'user', word: input.rest }),
  STOPSIGNAL: (input) => ({ kind: 'stopsignal', word: input.rest }),
  MAINTAINER: (input) => ({ kind: 'maintainer', author: input.rest }),
  EXPOSE: (input) => ({ kind: 'expose', words: splitWords(input.rest, input.escape) }),
  VOLUME: (input) => ({ kind: 'volume', words: jsonList(input.rest) ?? splitWords(input.rest, input.escape) }),
  ENTRYPOINT: (input) => ({ kind: 'entrypoint', command: command(input.rest) }),
  CMD: (input) => ({ kind: 'cmd', command: command(input.rest) }),

  SHELL(input) {
    const argv = jsonList(input.rest);
    if (argv === undefined || argv.length === 0) throw input.fail('it takes the JSON form: SHELL ["/bin/sh", "-c"]');
    return { kind: 'shell', argv };
  },

  HEALTHCHECK: (input) => ({ kind: 'healthcheck', check: parseHealthcheck(input) }),
};

export function command(text: string): Command {
  const argv = jsonList(text);
  return argv === undefined ? { form: 'shell', text } : { form: 'exec', argv };
}

export function onlyFlags(input: ParserInput, flags: Map<string, string[]>, known: string[]): void {
  for (const name of flags.keys())
    if (!known.includes(name)) throw input.fail(`unknown flag: --${name}`, { unsupported: true });
}

function copy(input: ParserInput, unpack: boolean): InstructionBody {
  const { flags, rest } = takeFlags(input.rest, input.escape);
  // --link promises layers that do not depend on those below; the files are the same without.
  onlyFlags(input, flags, ['chown', 'chmod', 'link', unpack ? 'checksum' : 'from']);
  const words = jsonList(rest) ?? rest.split(/\s+/).filter((word) => word !== '');
  const target = words.pop();
  if (target === undefined || words.length === 0) throw input.fail('it needs a source and a target at least');
  const heredocWords = new Set(input.heredocs.map(({ word }) => word));
  const sources = words.filter((word) => !heredocWords.has(word));
  const repository = unpack
    ? sources.find((source) => /^(git@|(git|ssh):\/\/|https?:\/\/.*\.git(#|$))/.test(source))
    : undefined;
  if (repository !== undefined)
    throw input.fail(`${repository}: clone it into the context, ADD fetches no repositories`, { unsupported: true });
  const last = (name: string) => flags.get(name)?.at(-1) ?? null;
  return {
    kind: 'copy',
    unpack,
    sources,
    heredocs: input.heredocs,
    target,
    from: last('from'),
    chown: last('chown'),
    chmod: last('chmod'),
    checksum: last('checksum'),
  };
}

/** `A=1 B="two words"`, or the old form with one name: `A all the rest`. */
function assignments(input: ParserInput): Assignment[] {
  const words = splitWords(input.rest, input.escape);
  if (words[0]?.includes('=') !== true) {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(input.rest) ?? [];
    if (name === '') throw input.fail('it needs two words, or NAME=VALUE');
    return [{ name, value }];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 1) throw input.fail(`\`${word}\` is not NAME=VALUE`);
    return { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}
