import { BuildProblem } from './problem.ts';
import type { ImageConfig } from '../images/images.ts';
import type { Command, Healthcheck, Instruction } from './dockerfile/instruction.ts';

export type ConfigInstruction = Extract<
  Instruction,
  {
    kind:
      | 'env'
      | 'label'
      | 'user'
      | 'stopsignal'
      | 'expose'
      | 'volume'
      | 'entrypoint'
      | 'cmd'
      | 'shell'
      | 'healthcheck'
      | 'onbuild';
  }
>;

export function isConfigInstruction(instruction: Instruction): instruction is ConfigInstruction {
  return CONFIG_KINDS.has(instruction.kind);
}

/**
 * What an instruction makes of an image's configuration.
 *
 * @param expand replaces the variables of a word
 * @param commandSet whether this build has a CMD already: else a new ENTRYPOINT drops the base image's
 * @throws BuildProblem for a value that does not fit
 */
export function configure(
  config: ImageConfig,
  instruction: ConfigInstruction,
  expand: (word: string) => string,
  commandSet: boolean,
): ImageConfig {
  switch (instruction.kind) {
    case 'env': {
      const entries = instruction.assignments.map(({ name, value }) => ({ name: expand(name), value: expand(value) }));
      return { ...config, Env: entries.reduce((env, { name, value }) => setEnv(env, name, value), config.Env) };
    }
    case 'label': {
      const labels = instruction.assignments.map(({ name, value }) => [expand(name), expand(value)] as const);
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
    }
    case 'user':
      return { ...config, User: expand(instruction.word) };
    case 'stopsignal':
      return { ...config, StopSignal: stopSignal(expand(instruction.word)) };
    case 'expose':
      return {
        ...config,
        ExposedPorts: { ...config.ExposedPorts, ...keys(instruction.words.map(expand).flatMap(ports)) },
      };
    case 'volume':
      return { ...config, Volumes: { ...config.Volumes, ...keys(instruction.words.map(expand)) } };
    case 'entrypoint':
      return { ...config, Entrypoint: argv(instruction.command, config), Cmd: commandSet ? config.Cmd : null };
    case 'cmd':
      return { ...config, Cmd: argv(instruction.command, config) };
    case 'shell':
      return { ...config, Shell: instruction.argv };
    case 'healthcheck':
      return { ...config, Healthcheck: healthcheck(instruction.check) };
    case 'onbuild':
      return { ...config, OnBuild: [...config.OnBuild, instruction.instruction.text] };
  }
}

/** The words to execute; the shell form goes to the shell of SHELL. */
export function argv(command: Command, { Shell }: ImageConfig): string[] {
  return command.form === 'exec' ? command.argv : [...(Shell ?? DEFAULT_SHELL), command.text];
}

export function setEnv(env: string[], name: string, value: string): string[] {
  const entry = `${name}=${value}`;
  const at = env.findIndex((each) => each.startsWith(`${name}=`));
  return at === -1 ? [...env, entry] : env.with(at, entry);
}

export const EMPTY_CONFIG: ImageConfig = {
  User: '',
  ExposedPorts: {},
  Env: [],
  Entrypoint: null,
  Cmd: null,
  Volumes: {},
  WorkingDir: '',
  Labels: {},
  StopSignal: '',
  Healthcheck: null,
  Shell: null,
  OnBuild: [],
};

/** The configuration without what is not set, as other builders write it. */
export function written(config: ImageConfig): Record<string, unknown> {
  const isSet = (value: ImageConfig[keyof ImageConfig]) =>
    value !== null && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => isSet(value)));
}

/** `8080`, `53/udp`, `7000-7002`. */
function ports(word: string): string[] {
  const [, from = '', to = from, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === '' || first < 1 || last > 65535 || last < first) throw new BuildProblem(`\`${word}\` is no port`);
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${protocol.toLowerCase()}`);
}

function stopSignal(word: string): string {
  if (/^(SIG)?[A-Z][A-Z0-9]+([+-]\d{1,2})?$/i.test(word) || /^\d{1,2}$/.test(word)) return word;
  throw new BuildProblem(`\`${word}\` is no signal`);
}

function healthcheck(check: Healthcheck): NonNullable<ImageConfig['Healthcheck']> {
  const { command, interval, timeout, startPeriod, startInterval, retries } = check;
  const test =
    command === null ? ['NONE'] : command.form === 'exec' ? ['CMD', ...command.argv] : ['CMD-SHELL', command.text];
  return {
    Test: test,
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
}

const keys = (names: string[]) => Object.fromEntries(names.map((name) => [name, {}]));

const DEFAULT_SHELL = ['/bin/sh', '-c'];
const CONFIG_KINDS = new Set<string>(
  'env label user stopsignal expose volume entrypoint cmd shell healthcheck onbuild'.split(' '),
);
