/**
 * Runs in the guest in the agent's place, starts the real agent, and has it or Podman run fifty containers at once when the
 * host asks: how many each second, from the first request to the last container's removal.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { FOLDERS, layersFolder } from '../../guest-agent/folders.ts';
import { type Agent, startAgent } from './agent-client.ts';
import { answerHost } from './answer.ts';
import { LAYER_SERIAL } from './contract.ts';
import { live } from './live.ts';
import { CRUN, PODMAN, podmanEnvironment, preparePodman } from './podman.ts';

async function main(): Promise<void> {
  let agent: Agent | undefined;
  const running = async () => (agent ??= await startAgent(import.meta.filename));
  await answerHost({
    prepare: async () => {
      await running();
      mkdirSync(PEERS, { recursive: true });
      execFileSync('mount', ['-t', 'squashfs', '-o', 'ro', '/dev/vdd', PEERS]);
      mountRoot();
      preparePodman(PEERS, CRUN);
    },
    nest: async () => {
      const each = await running();
      return perSecond(() => live(each));
    },
    podman: () => perSecond(runWithPodman),
  });
}

async function perSecond(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: TOGETHER }, run));
  return TOGETHER / ((performance.now() - begin) / 1000);
}

/** One overlay over the layer, which Podman's containers share and its own files go into; each of ours has its own. */
function mountRoot(): void {
  for (const folder of ['rootfs', 'upper', 'work']) mkdirSync(`${BUNDLE}/${folder}`, { recursive: true });
  const lower = `${layersFolder(FOLDERS)}/${LAYER_SERIAL}`;
  const overlay = `lowerdir=${lower},upperdir=${BUNDLE}/upper,workdir=${BUNDLE}/work`;
  execFileSync('mount', ['-t', 'overlay', '-o', overlay, 'overlay', `${BUNDLE}/rootfs`]);
}

/** Without a network, as ours. */
async function runWithPodman(): Promise<void> {
  const child = spawn(PODMAN, ['run', '--rm', '--network', 'none', '--rootfs', `${BUNDLE}/rootfs`, '/bin/true'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { LD_LIBRARY_PATH: `${PEERS}/lib`, ...podmanEnvironment },
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`podman run: exit ${code} ${said}`);
}

const TOGETHER = 50;
const PEERS = '/run/peers-part';
const BUNDLE = '/var/lib/nest/bundle';

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
