import { checkedTar } from '../images/checked-tar.ts';
import type { StepContext } from './steps.ts';
import { argv } from './config.ts';
import type { Instruction } from './dockerfile/instruction.ts';
import type { Build } from './build.ts';
import { placeCopies, type Placed } from './copy.ts';
import { split } from './file-tree.ts';
import { spooledFile } from './spooled-file.ts';
import type { StageState } from './state.ts';
import { writeLayer } from './write-layer.ts';
import { chainKey } from './keys.ts';
import { PROXY_ARGS } from './scope.ts';
import { mountSecrets, type SecretFile } from './secrets.ts';

type Run = Instruction & { kind: 'run' };

/** Arguments count, as the command may look at them; secrets do not. */
export function runKey({ state }: StepContext, { command, heredocs, secrets }: Run): string {
  const documents = heredocs.map(({ word, content }) => [word, content]);
  return chainKey(state.key, 'run', argv(command, state.config), documents, secrets, state.scope.args());
}

/** @returns the tar of what the command changed; undefined when it changed nothing */
export async function runCommand(
  { build, state, output }: StepContext,
  instruction: Run,
): Promise<AsyncIterable<Buffer> | undefined> {
  const { request, tools, newest } = build;
  const { config, layers, scope } = state;
  const secrets = mountSecrets(instruction.secrets, request.secrets);
  const { words, script } = commandWords(instruction, config);
  const files = [...secrets.files, ...script];
  const proxies = PROXY_ARGS.flatMap((name) =>
    request.buildArgs.has(name) ? `${name}=${request.buildArgs.get(name) ?? ''}` : [],
  );
  const tar = await tools.run({
    layers,
    argv: words,
    env: [...proxies, ...scope.args(), ...config.Env, ...secrets.env],
    cwd: config.WorkingDir || '/',
    user: config.User,
    extra: files.length === 0 ? undefined : await extraLayer(build, state, files),
    onOutput: output,
  });
  const hidden = new Set(files.map(({ path }) => split(bytesOf(path)).join('/')));
  const withoutSecrets = checkedTar(tar, (entry) =>
    hidden.has(plainName(entry.name)) ? undefined : { ...entry, mtime: Math.min(entry.mtime, newest) },
  );
  return unlessEmpty(withoutSecrets);
}

/** The folders above keep their owners and modes: what the command writes there is copied with them. */
async function extraLayer(
  { request, newest }: Build,
  state: StageState,
  files: SecretFile[],
): Promise<AsyncIterable<Buffer>> {
  const root = await state.files.tree(state.layers);
  const placed = new Map<string, Placed>();
  for (const { path, content, mode, uid, gid } of files) {
    const node = await spooledFile(request.spool, content, { mode, uid, gid });
    const options = { target: bytesOf(path), owner: undefined, chown: false, mode: undefined, now: 0 };
    for (const [name, each] of placeCopies(root, [{ name: '', node }], options)) placed.set(name, each);
  }
  return writeLayer(placed, newest);
}

/** What is executed. A heredoc alone is a script: the shell's, or its own interpreter's where it begins with `#!`. */
function commandWords(
  { command, heredocs }: Run,
  config: StepContext['state']['config'],
): { words: string[]; script: SecretFile[] } {
  if (command.form === 'exec' || heredocs.length === 0) return { words: argv(command, config), script: [] };
  const [first] = heredocs;
  if (first !== undefined && command.text === first.word) {
    if (!first.content.startsWith('#!'))
      return { words: argv({ form: 'shell', text: first.content }, config), script: [] };
    return {
      words: [SCRIPT],
      script: [{ path: SCRIPT, content: Buffer.from(first.content), mode: 0o755, uid: 0, gid: 0 }],
    };
  }
  const documents = heredocs.map(({ name, content }) => `${content}${name}\n`).join('');
  return { words: argv({ form: 'shell', text: `${command.text}\n${documents}` }, config), script: [] };
}

/** `etc/`, `etc/.wh.passwd`: the path that an entry is about. */
function plainName(name: string): string {
  return split(name)
    .filter((part) => part !== '.')
    .map((part) => part.replace(/^\.wh\.(?!\.wh\.)/, ''))
    .join('/');
}

/** An archive without entries begins with its end. */
async function unlessEmpty(tar: AsyncGenerator<Buffer>): Promise<AsyncIterable<Buffer> | undefined> {
  const first = await tar.next();
  if (first.done === true || first.value.every((byte) => byte === 0)) {
    while ((await tar.next()).done !== true);
    return undefined;
  }
  return (async function* () {
    yield first.value;
    yield* tar;
  })();
}

const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const SCRIPT = '/run/nest-build-script';
