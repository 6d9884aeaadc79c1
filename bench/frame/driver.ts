import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeAgentPart } from '../../src/guest-image/agent-part.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { projectRoot } from '../../src/guest-image/project-root.ts';
import type { Paths } from '../../src/paths.ts';
import { LAYER_SERIAL } from '../guest/contract.ts';
import { busyboxLayer } from './busybox-layer.ts';
import { bootBenchGuest, type BenchGuest } from './guest.ts';

/**
 * Boots a guest with a program in the agent's place, one layer with busybox, and a zygote: the real one, if no other is named.
 *
 * @param program a file of this project, as the zygote
 * @param memory MiB
 * @param disks makes further read-only squashfs disks in the folder `work`: vdd, vde, …
 */
export async function bootDriver(
  paths: Paths,
  {
    program,
    zygote = 'guest-agent/zygote/main.ts',
    accelerator,
    memory = 1024,
    disks = () => Promise.resolve([]),
  }: {
    program: string;
    zygote?: string;
    accelerator: 'kvm' | 'tcg';
    memory?: number;
    disks?: (work: string) => Promise<string[]>;
  },
): Promise<BenchGuest & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const work = await mkdtemp(path.join(tmpdir(), 'nest-bench-'));
  undo.defer(() => rm(work, { recursive: true, force: true }));
  const driver = await makeAgentPart(paths, {
    agent: path.join(projectRoot(), program),
    zygote: path.join(projectRoot(), zygote),
  });
  const guest = await bootBenchGuest({
    boot: await findGuestImage(paths, 'debian-12'),
    driver: driver.file,
    disk: await formattedDisk(work),
    disks: await disks(work),
    layers: { [LAYER_SERIAL]: await busyboxLayer(work) },
    accelerator,
    memory,
    work,
  });
  undo.defer(() => guest.close());
  const held = undo.move();
  return { ...guest, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function formattedDisk(work: string): Promise<string> {
  const disk = path.join(work, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, 1024 ** 3);
  await promisify(execFile)('mkfs.ext4', ['-q', '-F', disk]);
  return disk;
}
