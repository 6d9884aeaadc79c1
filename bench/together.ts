import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atLeast, type Bench } from './frame/bench.ts';
import { bootDriver } from './frame/driver.ts';
import { interleave } from './frame/interleave.ts';
import { makePeersPart, PODMAN } from './frame/peers-part.ts';
import { pairedRatio } from './frame/statistics.ts';

export const bench: Bench = {
  summary: 'fifty containers run at once, in containers per second, against podman with crun in the same guest',
  runs: 30,
  async measure({ runs, report }) {
    const paths = nestPaths();
    report('preparing the guest');
    await buildGuestImage(paths, 'debian-12', { progress: silent });
    const boot = await findGuestImage(paths, 'debian-12');
    const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
    await using guest = await bootDriver(paths, {
      program: 'bench/guest/together.ts',
      accelerator,
      memory: MEMORY,
      disks: async (work) => [await makePeersPart(work, paths.cache, PODMAN)],
    });
    await guest.ask('prepare', PATIENCE);
    report(`measuring ${runs} rounds`);
    const samples = await interleave(
      runs,
      {
        'nest per second': () => guest.ask('nest', PATIENCE) as Promise<number>,
        'podman per second': () => guest.ask('podman', PATIENCE) as Promise<number>,
      },
      (round) => report(`round ${round + 1} of ${runs}`),
    );
    const value = pairedRatio(samples['nest per second'], samples['podman per second']);
    return {
      goals: [atLeast(10, { id: 'together-podman', what: 'containers per second ÷ podman', value })],
      samples: { ...samples },
      setting: { accelerator },
    };
  },
};

/** MiB: fifty times podman and conmon. */
const MEMORY = 4096;
/** Seconds. */
const PATIENCE = 600;
