import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { createReadStream } from 'node:fs';
import { digestOf } from '../src/images/add-blob.ts';
import { convertLayer } from '../src/images/layer.ts';
import { atMost, type Bench, type Measurement } from './frame/bench.ts';
import { interleave } from './frame/interleave.ts';
import { pairedRatio } from './frame/statistics.ts';

/**
 * What a layer costs as squashfs and as erofs: size, time to make it, cold and warm sequential read. The layer is this
 * machine's own /usr/lib/x86_64-linux-gnu and /usr/share/perl: some hundred megabytes of what images hold. Needs root and
 * erofs-utils; erofs is made from a tree, since Debian 12's mkfs.erofs reads no tar.
 */
export const bench: Bench = {
  summary: 'a layer as squashfs and as erofs: size, conversion against `tar x`, cold and warm reads',
  runs: 5,
  async measure({ runs, report }) {
    const work = await mkdtemp(path.join(tmpdir(), 'nest-bench-layers-'));
    try {
      return await measure(work, runs, report);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
};

async function measure(work: string, runs: number, report: (text: string) => void): Promise<Measurement> {
  report('packing a layer');
  const tar = path.join(work, 'layer.tar');
  await run('tar', ['--sort=name', '-cf', tar, '-C', '/', ...SOURCES]);
  const blob = `${tar}.gz`;
  await pipeline(createReadStream(tar), createGzip(), createWriteStream(blob));
  const layer = {
    diffId: (await digestOf(tar)) ?? '',
    digest: (await digestOf(blob)) ?? '',
    size: (await stat(blob)).size,
    mediaType: '',
  };
  const tree = path.join(work, 'tree');
  await untar(blob, tree);
  const disks = Object.fromEntries(KINDS.map((kind) => [kind, path.join(work, `${kind}.disk`)])) as Record<
    Kind,
    string
  >;
  const make: Record<Kind, () => Promise<unknown>> = {
    squashfs: () => convertLayer(layer, blob, disks.squashfs),
    // The time of unpacking counts: there is no other way to a tree.
    erofs: async () => {
      await untar(blob, path.join(work, 'unpacked'));
      await run('mkfs.erofs', ['-zlz4', '-C131072', disks.erofs, path.join(work, 'unpacked')]);
    },
  };
  report('converting');
  const converted = await interleave(runs, {
    'tar x ms': () => timed(() => untar(blob, path.join(work, 'unpacked'))),
    'squashfs ms': () => timed(make.squashfs),
    'erofs ms': () => timed(make.erofs),
  });
  report('reading');
  await using mounts = new AsyncDisposableStack();
  const folders = await Promise.all(KINDS.map((kind) => mounted(work, kind, disks[kind], mounts)));
  const [squashfs = '', erofs = ''] = folders;
  const read = await interleave(runs, {
    'squashfs cold ms': () => cold(squashfs),
    'erofs cold ms': () => cold(erofs),
    'squashfs warm ms': () => timed(() => readAll(squashfs)),
    'erofs warm ms': () => timed(() => readAll(erofs)),
  });
  const sizes = { 'squashfs MB': [await megabytes(disks.squashfs)], 'erofs MB': [await megabytes(disks.erofs)] };
  return {
    goals: [
      atMost(2, {
        id: 'layer-conversion',
        what: 'layer conversion ÷ tar x (goal 10)',
        value: pairedRatio(converted['squashfs ms'], converted['tar x ms']),
      }),
      atMost(1, {
        id: 'squashfs-erofs-conversion',
        what: 'conversion, squashfs ÷ erofs',
        value: pairedRatio(converted['squashfs ms'], converted['erofs ms']),
      }),
      atMost(1, {
        id: 'squashfs-erofs-size',
        what: 'size, squashfs ÷ erofs',
        value: pairedRatio(sizes['squashfs MB'], sizes['erofs MB']),
      }),
      atMost(1.5, {
        id: 'squashfs-erofs-cold',
        what: 'cold read, squashfs ÷ erofs',
        value: pairedRatio(read['squashfs cold ms'], read['erofs cold ms']),
      }),
    ],
    samples: { ...converted, ...read, ...sizes },
    setting: { 'tar MB': await megabytes(tar), 'blob MB': await megabytes(blob) },
  };
}

const KINDS = ['squashfs', 'erofs'] as const;
type Kind = (typeof KINDS)[number];

async function run(program: string, parameters: string[]): Promise<void> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  await promisify(execFile)(program, parameters, { env, maxBuffer: 64 * 1024 ** 2 });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function untar(blob: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await run('tar', ['-xzf', blob, '-C', folder, '--numeric-owner']);
}

async function mounted(work: string, kind: Kind, disk: string, mounts: AsyncDisposableStack): Promise<string> {
  const folder = path.join(work, `mount-${kind}`);
  await mkdir(folder);
  await run('mount', ['-o', 'loop,ro', '-t', kind, disk, folder]);
  mounts.defer(() => run('umount', [folder]));
  return folder;
}

/** Nothing of the disk, of its loop device and of its files is in memory. */
async function cold(folder: string): Promise<number> {
  await run('sh', ['-c', 'sync && echo 3 >/proc/sys/vm/drop_caches']);
  return timed(() => readAll(folder));
}

async function readAll(folder: string): Promise<void> {
  const names = await readdir(folder);
  await run('sh', ['-c', 'tar -cf - -C "$0" "$@" | cat >/dev/null', folder, ...names]);
}

async function megabytes(file: string): Promise<number> {
  return (await stat(file)).size / 1e6;
}

const SOURCES = ['usr/bin', 'usr/share/perl'].map((folder) => `./${folder}`);
