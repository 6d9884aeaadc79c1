import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { bootDriver } from './frame/driver.ts';
import type { Leftovers } from './guest/inventory.ts';

export const bench: Bench = {
  summary: 'what thousands of containers leave behind in a guest, and whether the zygote grows with them',
  runs: 5000,
  async measure({ runs, report }) {
    const paths = nestPaths();
    report('preparing the guest');
    await buildGuestImage(paths, 'debian-12', { progress: silent });
    const boot = await findGuestImage(paths, 'debian-12');
    const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
    await using guest = await bootDriver(paths, { program: 'bench/guest/soak.ts', accelerator });
    await guest.ask('row');
    await guest.ask('together', PATIENCE);
    const before = (await guest.ask('leftovers')) as Leftovers;
    const memory: number[] = [];
    for (let started = 0; started < runs; started += ROW) {
      if (started % 500 === 0) report(`${started} of ${runs} containers`);
      await guest.ask('row', PATIENCE);
      memory.push((await guest.ask('zygoteMemory')) as number);
    }
    const together = (await guest.ask('together', PATIENCE)) as number;
    const after = (await guest.ask('leftovers')) as Leftovers;
    const half = memory[Math.floor(memory.length / 2)] ?? NaN;
    return {
      goals: [
        atMost(0, { id: 'soak-leaks', what: 'processes, mounts, cgroups, … left behind', value: leaks(before, after) }),
        atMost(1.02, { id: 'soak-zygote', what: 'zygote at the end ÷ half way', value: (memory.at(-1) ?? NaN) / half }),
      ],
      samples: { 'zygote KiB': memory, 'together per second': [together] },
      setting: { accelerator },
    };
  },
};

function leaks(before: Leftovers, after: Leftovers): number {
  const names = Object.keys(before) as (keyof Leftovers)[];
  return names.reduce((sum, name) => sum + Math.max(0, after[name] - before[name]), 0);
}

/** Containers that the driver starts at a time. */
const ROW = 10;
/** Seconds. */
const PATIENCE = 280;
