import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { AgentInfo, type ContainerSpec, ContainerState, type Identity } from '../guest-agent/api.ts';
import { makeAgentPart } from '../src/guest-image/agent-part.ts';
import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { projectRoot } from '../src/guest-image/project-root.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { connectTrunk, type Trunk } from '../src/trunk/trunk.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { busyboxLayer } from './frame/busybox-layer.ts';
import { bootBenchGuest } from './frame/guest.ts';
import { interleave } from './frame/interleave.ts';
import { makePeersPart } from './frame/peers-part.ts';
import { pairedRatio } from './frame/statistics.ts';
import { COMMAND, DIFF_ID, ENVIRONMENT, LAYER_SERIAL } from './guest/contract.ts';

export const bench: Bench = {
  summary: 'start of a container, request to first output, against `crun run` and `runc run` in the same guest',
  runs: 30,
  async measure({ runs, report }) {
    const paths = nestPaths();
    await using undo = new AsyncDisposableStack();
    const work = await mkdtemp(path.join(tmpdir(), 'nest-bench-'));
    undo.defer(() => rm(work, { recursive: true, force: true }));
    report('preparing the guest');
    await buildGuestImage(paths, 'debian-12', { progress: silent });
    const boot = await findGuestImage(paths, 'debian-12');
    const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
    const driver = await makeAgentPart(paths, {
      agent: path.join(projectRoot(), 'bench/guest/start.ts'),
      zygote: path.join(projectRoot(), 'guest-agent/zygote/main.ts'),
    });
    const guest = await bootBenchGuest({
      boot,
      driver: driver.file,
      disk: await formattedDisk(work),
      disks: [await makePeersPart(work, paths.cache)],
      layers: { [LAYER_SERIAL]: await busyboxLayer(work) },
      accelerator,
      work,
    });
    undo.defer(() => guest.close());
    const trunk = connectTrunk(guest.trunkSocket, { waitMs: 120_000 });
    undo.defer(() => trunk.close());
    await trunk.request({ method: 'PUT', path: '/v1/identity', body: identity() }, AgentInfo);
    await trunk.send({ method: 'PUT', path: `/v1/layers/${DIFF_ID}`, body: { serial: LAYER_SERIAL } });
    await guest.ask('prepare');
    report(`measuring ${runs} rounds`);
    const samples = await interleave(runs, {
      'nest ms': () => runWithNest(trunk),
      'nest, three requests ms': () => startWithNest(trunk),
      'crun ms': () => guest.ask('crun') as Promise<number>,
      'runc ms': () => guest.ask('runc') as Promise<number>,
    });
    const { 'nest ms': nest, 'crun ms': crun, 'runc ms': runc } = samples;
    return {
      goals: [
        atMost(0.4, { id: 'start-crun', what: 'start ÷ crun run', value: pairedRatio(nest, crun) }),
        atMost(0.4, { id: 'start-runc', what: 'start ÷ runc run', value: pairedRatio(nest, runc) }),
      ],
      samples: { ...samples },
      setting: { accelerator },
    };
  },
};

/** One request, as `crun run` is one command: from there, on the host, to the first frame of output, on the host. */
function runWithNest(trunk: Trunk): Promise<number> {
  return untilOutput(trunk, (body) => trunk.open({ method: 'POST', path: '/v1/run', body }));
}

/** Create, attach and start: what Docker's API asks of the engine for `docker run`. */
function startWithNest(trunk: Trunk): Promise<number> {
  return untilOutput(trunk, async (body) => {
    await trunk.request({ method: 'POST', path: '/v1/containers', body }, ContainerState);
    const attached = trunk.read({ method: 'POST', path: `/v1/containers/${body.id}/attach` });
    const started = trunk.request({ method: 'POST', path: `/v1/containers/${body.id}/start` }, ContainerState);
    const [output] = await Promise.all([attached, started]);
    return output;
  });
}

async function untilOutput(trunk: Trunk, start: (spec: ContainerSpec) => Promise<Readable>): Promise<number> {
  const spec = containerSpec();
  const begin = performance.now();
  const output = await start(spec);
  const ended = once(output, 'end');
  await once(output, 'data');
  const milliseconds = performance.now() - begin;
  await ended;
  await trunk.send({ method: 'DELETE', path: `/v1/containers/${spec.id}` });
  return milliseconds;
}

function identity(): Identity {
  return {
    hostname: 'bench',
    machineId: randomBytes(16).toString('hex'),
    entropy: randomBytes(64).toString('base64'),
    now: Date.now(),
  };
}

function containerSpec(): ContainerSpec {
  return {
    id: randomBytes(32).toString('hex'),
    hostname: 'bench',
    layers: [DIFF_ID],
    argv: COMMAND,
    env: ENVIRONMENT,
    cwd: '/',
    user: '',
    stdin: false,
    stopSignal: 'SIGTERM',
    stopSeconds: 10,
    limits: {},
    restart: { name: 'no', maximumRetries: 0 },
    annotations: {},
  };
}

async function formattedDisk(work: string): Promise<string> {
  const disk = path.join(work, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, 1024 ** 3);
  await promisify(execFile)('mkfs.ext4', ['-q', '-F', disk]);
  return disk;
}
