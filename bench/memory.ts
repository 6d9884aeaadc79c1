import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { bootDriver } from './frame/driver.ts';
import { interleave } from './frame/interleave.ts';
import { makePeersPart, PODMAN } from './frame/peers-part.ts';
import { median } from './frame/statistics.ts';

export const bench: Bench = {
  summary: 'memory of an idle container beyond its own process, from 10 to 100 of them, against conmon and crun',
  runs: 5,
  async measure({ runs, report }) {
    const paths = nestPaths();
    report('preparing the guest');
    await buildGuestImage(paths, 'debian-12', { progress: silent });
    const boot = await findGuestImage(paths, 'debian-12');
    const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
    await using guest = await bootDriver(paths, {
      program: 'bench/guest/memory.ts',
      accelerator,
      memory: 2048,
      disks: async (work) => [await makePeersPart(work, paths.cache, PODMAN)],
    });
    const samples = await interleave(
      runs,
      {
        'nest KiB': () => guest.ask('nest', PATIENCE) as Promise<number>,
        'conmon and crun KiB': () => guest.ask('conmon', PATIENCE) as Promise<number>,
      },
      (round) => report(`round ${round + 1} of ${runs}`),
    );
    // Garbage is collected when it is: a round may even end with less. Their medians are compared, not their pairs.
    const value = median(samples['nest KiB']) / median(samples['conmon and crun KiB']);
    return {
      goals: [atMost(0.1, { id: 'memory-conmon', what: 'memory for each container ÷ conmon + crun', value })],
      samples: { ...samples },
      setting: { accelerator },
    };
  },
};

/** Seconds. */
const PATIENCE = 900;
