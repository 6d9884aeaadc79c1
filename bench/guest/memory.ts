/**
 * Runs in the guest in the agent's place, starts the real agent, and says what idle containers cost when the host asks: under
 * the agent, or under conmon and crun as Podman has them. Their containers are the same command in the same namespaces.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FOLDERS, layersFolder } from '../../guest-agent/folders.ts';
import { exampleConfig } from '../../guest-agent/nest-runtime/spec.ts';
import { type Agent, startAgent } from './agent-client.ts';
import { containerSpec } from './agent-requests.ts';
import { answerHost } from './answer.ts';
import { ENVIRONMENT, LAYER_SERIAL } from './contract.ts';
import { memoryBeyond } from './inventory.ts';

async function main(): Promise<void> {
  const agent = await startAgent(import.meta.filename);
  mkdirSync(PEERS, { recursive: true });
  execFileSync('mount', ['-t', 'squashfs', '-o', 'ro', '/dev/vdd', PEERS]);
  await answerHost({
    nest: () => slope(startWithNest(agent)),
    conmon: () => slope(startWithConmon()),
  });
}

interface Starter {
  start: () => Promise<void> | void;
  stop: () => Promise<void> | void;
}

/** KiB for each container between the first FEW and MANY. */
async function slope({ start, stop }: Starter): Promise<number> {
  const grow = async (count: number) => {
    for (let started = 0; started < count; started += 1) await start();
    return settled();
  };
  try {
    const few = await grow(FEW);
    const many = await grow(MANY - FEW);
    return (many - few) / (MANY - FEW);
  } finally {
    await stop();
  }
}

/** The least of some seconds: what will be freed is no container's. */
async function settled(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < READINGS; reading += 1) {
    await delay(1000);
    least = Math.min(least, memoryBeyond(IDLE));
  }
  return least;
}

function startWithNest({ ask }: Agent): Starter {
  const ids: string[] = [];
  return {
    async start() {
      const spec = containerSpec(IDLE);
      await ask('POST', '/v1/containers', spec);
      await ask('POST', `/v1/containers/${spec.id}/start`);
      ids.push(spec.id);
    },
    async stop() {
      for (const id of ids) await ask('DELETE', `/v1/containers/${id}?force=1`);
    },
  };
}

/** One conmon for each, which has crun make the container: podman's way, without podman itself, which ends. */
function startWithConmon(): Starter {
  const root = `${layersFolder(FOLDERS)}/${LAYER_SERIAL}`;
  const { process: shell, linux, ...config } = exampleConfig();
  const ociConfig = {
    ...config,
    ociVersion: '1.0.2', // Debian's crun knows no later one
    root: { path: root, readonly: true },
    process: { ...shell, terminal: false, args: IDLE, env: ENVIRONMENT },
  };
  const ids: string[] = [];
  return {
    async start() {
      const id = `idle${(named += 1)}`;
      const folder = `/run/conmon/${id}`;
      mkdirSync(`${folder}/exit`, { recursive: true });
      const own = { ...linux, resources: undefined, cgroupsPath: `/peers/${id}` };
      writeFileSync(`${folder}/config.json`, JSON.stringify({ ...ociConfig, linux: own }));
      const conmon = ['--cid', id, '--cuuid', id, '--name', id, '--runtime', `${PEERS}/bin/crun`, '--bundle', folder];
      const files = ['--container-pidfile', `${folder}/pid`, '--conmon-pidfile', `${folder}/conmon.pid`];
      const places = [
        '--exit-dir',
        `${folder}/exit`,
        '--socket-dir-path',
        folder,
        '--log-path',
        `k8s-file:${folder}/log`,
      ];
      run('conmon', [...conmon, ...files, ...places, '--persist-dir', folder]);
      // conmon goes into the background at once; podman waits for its word.
      while (attempt('crun', ['state', id]).status !== 0) await delay(20);
      run('crun', ['start', id]);
      ids.push(id);
    },
    stop() {
      for (const id of ids) run('crun', ['delete', '--force', id]);
    },
  };
}

function run(program: string, args: string[]): void {
  const { status, stderr } = attempt(program, args);
  if (status !== 0) throw new Error(`${program} ${args[0]}: exit ${status} ${stderr}`);
}

function attempt(program: string, args: string[]) {
  const env = { LD_LIBRARY_PATH: `${PEERS}/lib`, PATH: '/usr/bin' };
  return spawnSync(`${PEERS}/bin/${program}`, args, { encoding: 'utf8', env, stdio: ['ignore', 'ignore', 'pipe'] });
}

let named = 0;

const IDLE = ['/bin/sleep', '100000'];
const FEW = 10;
const MANY = 100;
const READINGS = 10;
const PEERS = '/run/peers-part';

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
