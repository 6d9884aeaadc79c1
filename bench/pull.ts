import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openImages } from '../src/images/images.ts';
import { silent } from '../src/progress.ts';
import { pathsIn } from '../test/helpers/images.ts';
import { startRegistry } from '../test/helpers/registry.ts';
import { atMost, type Bench, type Measurement } from './frame/bench.ts';

/** What pulling 2 GB takes of memory: the engine's part, skopeo and the programs that make disks, page cache left out. */
export const bench: Bench = {
  summary: 'memory of pulling an image of 2 GB from a registry on this machine, layers made disks',
  runs: 1,
  async measure({ runs, report }) {
    await using undo = new AsyncDisposableStack();
    const context = {
      teardown: (end: () => unknown) =>
        undo.defer(async () => {
          await end();
        }),
    };
    const work = await mkdtemp(path.join(tmpdir(), 'nest-bench-pull-'));
    undo.defer(() => rm(work, { recursive: true, force: true }));
    report('making the image');
    const registry = await startRegistry(context);
    await pushLargeImage(work, `${registry}/large:1`);
    const peaks: number[] = [];
    const seconds: number[] = [];
    for (let run = 0; run < runs; run++) {
      report(`pulling, round ${run + 1}`);
      const start = performance.now();
      peaks.push(await peakOfPull(path.join(work, `pull-${run}`), `${registry}/large:1`));
      seconds.push((performance.now() - start) / 1000);
    }
    return result(peaks, seconds);
  },
};

function result(peaks: number[], seconds: number[]): Measurement {
  return {
    goals: [atMost(200, { id: 'pull-memory', what: 'peak memory of a pull of 2 GB, MiB', value: Math.max(...peaks) })],
    samples: { 'peak MiB': peaks, 'pull s': seconds },
  };
}

/** Four layers of random bytes, which nothing can compress. */
async function pushLargeImage(work: string, name: string): Promise<void> {
  const images = await openImages(pathsIn(path.join(work, 'source')));
  await using assembly = await images.assemble();
  const layers = [];
  for (let i = 0; i < LAYERS; i++) {
    const folder = path.join(work, `layer-${i}`);
    await mkdir(folder);
    execFileSync('dd', ['if=/dev/urandom', `of=${folder}/file`, 'bs=1M', `count=${LAYER_MIB}`], { stdio: 'ignore' });
    execFileSync('tar', ['-cf', `${folder}.tar`, '-C', folder, '.']);
    await rm(folder, { recursive: true });
    layers.push(await assembly.addLayer(createReadStream(`${folder}.tar`) as AsyncIterable<Buffer>, silent));
    await rm(`${folder}.tar`);
  }
  await assembly.addImage({ architecture: 'amd64', os: 'linux' }, layers, [name]);
  await images.push(name, { progress: silent });
}

/** MiB of the process that pulls and of all that it has started, at their highest together. */
async function peakOfPull(folder: string, name: string): Promise<number> {
  const program = path.join(import.meta.dirname, '../test/images/power-cut-process.ts');
  const puller = spawn(process.execPath, [program, folder, 'pull', name], { detached: true, stdio: 'inherit' });
  const ended = once(puller, 'close') as Promise<[number | null]>;
  let peak = 0;
  let running = true;
  void ended.then(() => (running = false));
  while (running) {
    peak = Math.max(peak, await groupMemory(puller.pid ?? 0));
    await sleep(50);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the pull ended with ${code ?? 'a signal'}`);
  return peak / 1024;
}

/** kB of anonymous memory of a process group (proc_pid_status(5), RssAnon). */
async function groupMemory(group: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
        // After the name in brackets: state, parent, process group.
        if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) !== group) return 0;
        return Number(/RssAnon:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      } catch {
        return 0; // Ended meanwhile.
      }
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const LAYERS = 4;
const LAYER_MIB = 512;
