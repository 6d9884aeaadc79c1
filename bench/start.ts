import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeAgentPart } from '../src/guest-image/agent-part.ts';
import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { projectRoot } from '../src/guest-image/project-root.ts';
import { makeSquashfs } from '../src/guest-image/squashfs.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { runInGuest } from './frame/guest.ts';
import { makePeersPart } from './frame/peers-part.ts';
import { pairedRatio } from './frame/statistics.ts';
import { LAYER_SERIAL, REPORT_MARK } from './guest/contract.ts';

export const bench: Bench = {
  summary: 'start of a container, request to first output, against `crun run` and `runc run` in the same guest',
  runs: 30,
  async measure({ runs, report }) {
    const paths = nestPaths();
    const work = await mkdtemp(path.join(tmpdir(), 'nest-bench-'));
    try {
      report('preparing the guest');
      await buildGuestImage(paths, 'debian-12', { progress: silent });
      const boot = await findGuestImage(paths, 'debian-12');
      const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
      const driver = await makeAgentPart(paths, {
        agent: path.join(projectRoot(), 'bench/guest/start.ts'),
        zygote: path.join(projectRoot(), 'guest-agent/zygote/main.ts'),
      });
      const guest = {
        boot,
        driver: driver.file,
        disk: await formattedDisk(work),
        disks: [await makePeersPart(work, paths.cache)],
        layers: { [LAYER_SERIAL]: await busyboxLayer(work) },
        commandLine: `nest.bench.runs=${runs}`,
        accelerator,
      };
      report(`measuring ${runs} rounds`);
      const samples = JSON.parse(await runInGuest(guest, REPORT_MARK, 60 + runs * 10)) as Samples | { error: string };
      if ('error' in samples) throw new Error(samples.error);
      const { 'nest ms': nest, 'crun ms': crun, 'runc ms': runc } = samples;
      return {
        goals: [
          atMost(0.4, { id: 'start-crun', what: 'start ÷ crun run', value: pairedRatio(nest, crun) }),
          atMost(0.4, { id: 'start-runc', what: 'start ÷ runc run', value: pairedRatio(nest, runc) }),
        ],
        samples: { ...samples },
        setting: { accelerator },
      };
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
};

type Samples = Record<'nest ms' | 'crun ms' | 'runc ms', number[]>;

async function formattedDisk(work: string): Promise<string> {
  const disk = path.join(work, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, 1024 ** 3);
  await promisify(execFile)('mkfs.ext4', ['-q', '-F', disk]);
  return disk;
}

/** /bin with busybox and the folders that runtimes mount on. */
async function busyboxLayer(work: string): Promise<string> {
  const root = path.join(work, 'root');
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    await mkdir(path.join(root, folder), { recursive: true });
  await copyFile('/bin/busybox', path.join(root, 'bin/busybox'));
  await chmod(path.join(root, 'bin/busybox'), 0o755);
  for (const applet of ['echo', 'sh', 'sleep', 'true']) await symlink('busybox', path.join(root, 'bin', applet));
  const layer = path.join(work, 'layer.squashfs');
  await makeSquashfs(root, layer);
  return layer;
}
