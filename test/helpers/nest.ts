import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { testGuestImage } from './guest-image.ts';

/** How a command ended. */
export interface Outcome {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** A nest of its own: real CLI, real engine, real guests; only its folders are elsewhere. */
export interface Nest {
  paths: Paths;
  env: NodeJS.ProcessEnv;
  /** Runs `nest ARGS`, whatever its exit code. */
  run(args: string[], input?: string): Promise<Outcome>;
  /** Runs `nest ARGS`, which must succeed; its standard output without the last newline. */
  ok(...args: string[]): Promise<string>;
  /** Runs `nest ARGS --json`, which must succeed. */
  json(...args: string[]): Promise<unknown>;
  /** Starts `nest ARGS` and leaves it running. */
  start(args: string[]): ChildProcess;
  /** Deletes every guest, stops the engine, removes the folders. */
  close(): Promise<void>;
}

/** Where and as whom the commands run, and with them the engine that they start. */
export interface Surroundings {
  /** A program that runs the program in its arguments. */
  through: string[];
  /** Who the folders belong to. */
  owner?: number;
}

/** Builds the guest image unless a test before did, and prepares empty folders. The engine starts with the first command. */
export async function openNest(
  environment: Record<string, string> = {},
  { through, owner }: Surroundings = { through: [] },
): Promise<Nest> {
  const shared = await testGuestImage();
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-e2e-'));
  await chmod(folder, 0o711); // QEMU runs as another user under qemu:///system
  const env = {
    ...process.env,
    NEST_DATA_DIR: path.join(folder, 'data'),
    NEST_RUNTIME_DIR: path.join(folder, 'run'),
    // A name that is not loaded must not be looked for outside this machine.
    NEST_PULL: 'never',
    ...environment,
  };
  const paths = nestPaths(env);
  await mkdir(paths.data, { recursive: true, mode: 0o711 });
  const common = ['guestImages', 'agents', ...(owner === undefined ? (['cache'] as const) : [])] as const;
  for (const name of common) await symlink(shared.paths[name], paths[name]);
  if (owner !== undefined) for (const each of [folder, paths.data]) await chown(each, owner, owner);

  const nest: Nest = {
    paths,
    env,
    run: (args, input) => runNest([...through, ...NEST], args, env, input),
    async ok(...args) {
      const outcome = await nest.run(args);
      if (outcome.exitCode !== 0)
        throw new Error(`nest ${args.join(' ')}: exit ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`);
      return outcome.stdout.trimEnd();
    },
    json: async (...args) => JSON.parse(await nest.ok(...args, '--json')) as unknown,
    start(args) {
      const [program = '', ...rest] = [...through, ...NEST, ...args];
      return spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    },
    async close() {
      const guests = (await nest.json('vm', 'list')) as { name: string }[];
      for (const guest of guests) await nest.ok('vm', 'delete', '--force', guest.name);
      await nest.ok('engine', 'stop');
      await rm(folder, { recursive: true, force: true });
    },
  };
  return nest;
}

const NEST = [process.execPath, path.join(import.meta.dirname, '../../bin/nest.js')];

function runNest(nest: string[], args: string[], env: NodeJS.ProcessEnv, input = ''): Promise<Outcome> {
  const [program = '', ...rest] = [...nest, ...args];
  return new Promise((resolve) => {
    const options = { env, encoding: 'utf8' as const, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, rest, options, (error, stdout, stderr) =>
      resolve({ stdout, stderr, exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 255 }),
    );
    child.stdin?.end(input);
  });
}
