import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { addStockImage } from '../src/guest-image/stock-image.ts';
import { nestPaths } from '../src/paths.ts';
import { progressTo, silent } from '../src/progress.ts';
import type { Guests } from '../src/vm/guests.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { openBenchHost, type BenchHost } from './frame/guests.ts';
import { interleave } from './frame/interleave.ts';
import { pairedRatio } from './frame/statistics.ts';

/** The clock runs from the request to the agent's answer that it knows who its guest is. */
export const bench: Bench = {
  summary:
    'a new guest, request to agent: clone from a template and clone from the pool, against a cold boot; a cloud image',
  runs: 30,
  async measure({ runs, report }) {
    report('building the guest image');
    await using host = await openBenchHost();
    const { accelerator } = host;
    const [cold, cloning, pooling] = await Promise.all([
      host.open({ templates: false }),
      host.open(),
      host.open({ pool: 1 }),
    ]);
    const parts: Record<string, number[]> = { [HOST_PART]: [], [AGENT_PART]: [] };

    const measure = async (guests: Guests, round: number, steps?: Steps, stock: string | null = null) => {
      const begin = performance.now();
      const progress = steps === undefined ? silent : progressTo((event) => steps.note(event));
      const name = `bench-${round + 2}`;
      const { id } = await guests.create({ zone: 'bench', name, shape: SHAPE, accelerator, stock }, progress);
      const milliseconds = performance.now() - begin;
      await guests.remove(id);
      return milliseconds;
    };
    report('capturing the template');
    await measure(cloning, 0);
    report(`measuring ${runs} rounds`);
    const samples = await interleave(
      runs,
      {
        'cold boot ms': (round) => measure(cold, round),
        'clone ms': async (round) => {
          const steps = watchSteps();
          const milliseconds = await measure(cloning, round, steps);
          if (round >= 0) {
            parts[HOST_PART]?.push(steps.took('Clone guest'));
            parts[AGENT_PART]?.push(steps.took('Wait for agent'));
          }
          return milliseconds;
        },
        'clone from pool ms': async (round) => {
          await pooling.poolFilled();
          return measure(pooling, round);
        },
      },
      (round) => report(`round ${round + 1} of ${runs}`),
    );
    const stock = await measureStock(host, Math.min(runs, STOCK_ROUNDS), (guests, round, steps) => {
      report(`stock image, round ${round + 1}`);
      return measure(guests, round, steps, STOCK_NAME);
    });
    const { 'cold boot ms': boot, 'clone ms': clone, 'clone from pool ms': pool } = samples;
    return {
      goals: [
        atMost(0.08, { id: 'clone-boot', what: 'clone ÷ cold boot', value: pairedRatio(clone, boot) }),
        atMost(0.05, { id: 'pool-boot', what: 'clone from pool ÷ cold boot', value: pairedRatio(pool, boot) }),
      ],
      samples: { ...samples, ...parts, ...stock },
      setting: { accelerator, guest: `${SHAPE.vcpus} × ${SHAPE.memory / 2 ** 20} MiB` },
    };
  },
};

/** For scale: a distribution's cloud image with systemd, until the agent that is deployed to it answers. */
async function measureStock(
  host: BenchHost,
  rounds: number,
  measure: (guests: Guests, round: number, steps: Steps) => Promise<number>,
): Promise<Record<string, number[]>> {
  await addStockImage(host.paths, STOCK_NAME, createReadStream(await stockImageFile()), { progress: silent });
  const guests = await host.open();
  const whole: number[] = [];
  const boot: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const steps = watchSteps();
    whole.push(await measure(guests, round, steps));
    boot.push(steps.took('Boot') + steps.took('Wait for sshd'));
  }
  return { 'stock image ms': whole, 'stock image: until sshd answers ms': boot };
}

/** As tests make it. */
async function stockImageFile(): Promise<string> {
  const { cache } = nestPaths();
  await mkdir(cache, { recursive: true });
  const script = path.join(import.meta.dirname, '../scripts/stock-image');
  return (await promisify(execFile)('bash', [script, cache])).stdout.trim();
}

type Steps = ReturnType<typeof watchSteps>;

/** How long the steps of one creation took, by the beginning of their titles. */
function watchSteps() {
  const began = new Map<number, number>();
  const durations: { title: string; milliseconds: number }[] = [];
  return {
    note(event: Parameters<Parameters<typeof progressTo>[0]>[0]) {
      if (event.type !== 'step') return;
      if (event.state === 'running') began.set(event.id, performance.now());
      else durations.push({ title: event.title, milliseconds: performance.now() - (began.get(event.id) ?? NaN) });
    },
    took: (title: string) => durations.find((step) => step.title.startsWith(title))?.milliseconds ?? NaN,
  };
}

const HOST_PART = 'clone: libvirt and QEMU ms';
const AGENT_PART = 'clone: agent ms';
const STOCK_NAME = 'stock';
/** Each takes a minute and more under software emulation. */
const STOCK_ROUNDS = 3;
const SHAPE = { vcpus: 2, memory: 1024 ** 3 };
