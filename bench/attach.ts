import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { type ContainerSpec, ContainerState, ExecState } from '../guest-agent/api.ts';
import { convertLayer } from '../src/images/layer.ts';
import { digestOf } from '../src/images/add-blob.ts';
import { guestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import type { Trunk } from '../src/trunk/trunk.ts';
import type { GuestRecord } from '../src/vm/guests.ts';
import { openFiles, qemuPid } from '../test/helpers/libvirt.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { busyboxLayer } from './frame/busybox-layer.ts';
import { openBenchHost } from './frame/guests.ts';
import { interleave } from './frame/interleave.ts';
import { pairedRatio } from './frame/statistics.ts';
import { containerSpec } from './guest/agent-requests.ts';

/**
 * What a layer costs in one more guest. The layer is this machine's own /usr/share/perl, some 20 MB, and a disk already: a
 * larger one costs more to copy, and no more to attach. Copying streams its tar through the trunk into `tar x` in a
 * container. The bytes of an image are those of its disks, /usr/bin besides, some hundred megabytes as most images have, and
 * those by which guests' own disks grow when a container of it reads.
 */
export const bench: Bench = {
  summary:
    'a layer in one more guest: attach and mount against copy and untar, and host bytes of 10 guests against one',
  runs: 30,
  async measure({ runs, report }) {
    report('building the guest image');
    await using host = await openBenchHost();
    const guests = await host.open();
    const base = { diffId: `sha256:${'b5'.repeat(32)}`, path: await busyboxLayer(host.paths.data) };
    const { tar, layer } = await layerOf(host.paths.data, 'small', ['./usr/share/perl']);
    const create = async (number: number) => {
      const request = { zone: `bench${number}`, name: `bench${number}-1`, shape: SHAPE, accelerator: host.accelerator };
      const guest = await guests.create(request, silent);
      await guests.attachLayer(guest.id, base);
      return guest;
    };
    report('measuring in a second guest');
    const first = await create(1);
    await guests.attachLayer(first.id, layer);
    const second = await create(2);
    const trunk = guests.trunk(second.id);
    await startContainer(trunk, container([base.diffId], ['sleep', '1000000']));
    const samples = await interleave(
      runs,
      {
        'attach ms': async () => {
          await guests.detachLayers(second.id, () => [base.diffId]);
          return timed(() => guests.attachLayer(second.id, layer));
        },
        'copy and untar ms': async () => {
          await command(trunk, 'busybox rm -rf /copy && busybox mkdir /copy');
          return timed(() => command(trunk, 'busybox tar -x -f - -C /copy', tar));
        },
      },
      (round) => report(`round ${round + 1} of ${runs}`),
    );

    report(`an image in ${GUESTS} guests`);
    const { layer: image } = await layerOf(host.paths.data, 'large', ['./usr/bin', './usr/share/perl']);
    const grown: number[] = [];
    const users: GuestRecord[] = [];
    for (let number = 0; number < GUESTS; number++) {
      const guest = await create(number + 3);
      const before = await allocated(guestPaths(host.paths, guest.id).disk);
      await guests.attachLayer(guest.id, image);
      const read = container(
        [base.diffId, image.diffId],
        ['sh', '-c', 'busybox tar -c -f /dev/null /usr/share && busybox sync'],
      );
      await startContainer(guests.trunk(guest.id), read);
      await guests.trunk(guest.id).request({ method: 'POST', path: `/v1/containers/${ID}/wait` }, ContainerState);
      grown.push((await allocated(guestPaths(host.paths, guest.id).disk)) - before);
      users.push(guest);
    }
    const opened = await openedBy(users, image.path);
    const disk = await allocated(image.path);
    const total = (count: number) => disk + grown.slice(0, count).reduce((sum, bytes) => sum + bytes, 0);
    return {
      goals: [
        atMost(0.05, {
          id: 'attach-copy',
          what: 'layer attach → mounted ÷ copy and untar (goal 8)',
          value: pairedRatio(samples['attach ms'], samples['copy and untar ms']),
        }),
        atMost(1.05, {
          id: 'image-bytes',
          what: `host bytes of an image, ${GUESTS} guests ÷ one (goal 9)`,
          value: total(GUESTS) / total(1),
        }),
      ],
      samples: { ...samples, 'guest disk grown KiB': grown.map((bytes) => bytes / 1024) },
      setting: {
        accelerator: host.accelerator,
        'tar MB': (await stat(tar)).size / 1e6,
        'image MB': disk / 1e6,
        'QEMUs with the one disk open': opened,
      },
    };
  },
};

/** Of this machine's own files, as a tar and as a disk. */
async function layerOf(
  work: string,
  name: string,
  sources: string[],
): Promise<{ tar: string; layer: { diffId: string; path: string } }> {
  const tar = path.join(work, `${name}.tar`);
  await promisify(execFile)('tar', ['--sort=name', '-cf', tar, '-C', '/', ...sources]);
  const diffId = (await digestOf(tar)) ?? '';
  const disk = path.join(work, `${name}.squashfs`);
  await convertLayer({ diffId, digest: diffId, size: (await stat(tar)).size, mediaType: '' }, tar, disk);
  return { tar, layer: { diffId, path: disk } };
}

const container = (layers: string[], argv: string[]): ContainerSpec => ({
  ...containerSpec(argv),
  ...{ id: ID, layers, stopSignal: 'SIGKILL', stopSeconds: 0 },
});

async function startContainer(trunk: Trunk, spec: ContainerSpec): Promise<void> {
  await trunk.request({ method: 'POST', path: '/v1/containers', body: spec }, ContainerState);
  await trunk.request({ method: 'POST', path: `/v1/containers/${spec.id}/start` }, ContainerState);
}

/** In the container, with a file as its input. @throws when it fails */
async function command(trunk: Trunk, text: string, input?: string): Promise<void> {
  const argv = ['sh', '-c', text];
  const body = { argv, env: ['PATH=/bin'], cwd: '/', user: '', stdin: input !== undefined };
  const made = await trunk.request(
    { method: 'POST', path: `/v1/containers/${ID}/exec`, body },
    v.object({ execId: v.string() }),
  );
  const stream = await trunk.open({ method: 'POST', path: `/v1/exec/${made.execId}/start` });
  const ended = once(stream.resume(), 'end');
  if (input === undefined) stream.end();
  else await pipeline(createReadStream(input, { highWaterMark: 256 * 1024 }), stream, { end: true });
  await ended;
  const { exitCode } = await trunk.request({ method: 'GET', path: `/v1/exec/${made.execId}` }, ExecState);
  if (exitCode !== 0) throw new Error(`\`${text}\` in a guest: exit code ${exitCode}`);
}

/** How many of these guests' QEMUs have the file open. */
async function openedBy(guests: GuestRecord[], file: string): Promise<number> {
  let count = 0;
  for (const { domain } of guests)
    if ((await openFiles(await qemuPid(domain), path.dirname(file))).includes(file)) count += 1;
  return count;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Bytes that the file system gave. */
async function allocated(file: string): Promise<number> {
  return (await stat(file)).blocks * 512;
}

const ID = 'be'.repeat(32);
const GUESTS = 10;
const SHAPE = { vcpus: 2, memory: 512 * 1024 ** 2 };
