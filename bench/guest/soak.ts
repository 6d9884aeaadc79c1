/**
 * Runs in the guest in the agent's place, starts the real agent, and does what the host asks for: many containers in a row
 * and at once, and a count of what they left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Agent, startAgent } from './agent-client.ts';
import { answerHost } from './answer.ts';
import { type Leftovers, takeLeftovers, zygoteMemory } from './inventory.ts';
import { live } from './live.ts';

async function main(): Promise<void> {
  let agent: Agent | undefined;
  const running = async () => (agent ??= await startAgent(import.meta.filename));
  await answerHost({
    /** Ten lives, one after another. */
    row: async () => {
      for (let round = 0; round < ROW; round += 1) await live(await running());
    },
    /** Fifty lives at once; how many each second. */
    together: async () => {
      const each = await running();
      const started = performance.now();
      await Promise.all(Array.from({ length: TOGETHER }, () => live(each)));
      return TOGETHER / ((performance.now() - started) / 1000);
    },
    leftovers: async () => quiet(await running()),
    zygoteMemory,
  });
}

/** What is left once nothing changes any more: what is being cleaned up, or made ahead, is not left behind. */
async function quiet(agent: Agent): Promise<Leftovers> {
  const take = () => JSON.stringify(takeLeftovers(agent.process.pid ?? 0));
  for (let last = take(), same = 0; ;) {
    await delay(200);
    const now = take();
    same = now === last ? same + 1 : 0;
    if (same === 5) return JSON.parse(now) as Leftovers;
    last = now;
  }
}

const ROW = 10;
const TOGETHER = 50;

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
