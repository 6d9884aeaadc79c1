import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { AgentInfo, type ContainerSpec, ContainerState, type Network } from '../guest-agent/api.ts';
import { buildGuestImage, findGuestImage } from '../src/guest-image/guest-image.ts';
import { nestPaths } from '../src/paths.ts';
import { silent } from '../src/progress.ts';
import { connectTrunk, type Trunk } from '../src/trunk/trunk.ts';
import { chooseAccelerator } from '../src/vm/accelerator.ts';
import { atMost, type Bench } from './frame/bench.ts';
import { bootDriver } from './frame/driver.ts';
import { interleave } from './frame/interleave.ts';
import { makePeersPart } from './frame/peers-part.ts';
import { median, pairedRatio, quantile } from './frame/statistics.ts';
import { containerSpec, identity } from './guest/agent-requests.ts';
import { COMMAND, DIFF_ID, LAYER_SERIAL } from './guest/contract.ts';

export const bench: Bench = {
  summary: 'start of a container, request to first output, against `crun run` and `runc run` in the same guest',
  runs: 30,
  async measure({ runs, report }) {
    const paths = nestPaths();
    await using undo = new AsyncDisposableStack();
    report('preparing the guest');
    await buildGuestImage(paths, 'debian-12', { progress: silent });
    const boot = await findGuestImage(paths, 'debian-12');
    const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
    const guest = undo.use(
      await bootDriver(paths, {
        program: 'bench/guest/start.ts',
        accelerator,
        disks: async (work) => [await makePeersPart(work, paths.cache)],
      }),
    );
    const trunk = connectTrunk(guest.trunkSocket, { waitMs: 120_000 });
    undo.defer(() => trunk.close());
    await trunk.request({ method: 'PUT', path: '/v1/identity', body: identity() }, AgentInfo);
    await trunk.send({ method: 'PUT', path: `/v1/layers/${DIFF_ID}`, body: { serial: LAYER_SERIAL } });
    await guest.ask('prepare');
    report(`measuring ${runs} rounds`);
    const samples = await interleave(runs, {
      'nest ms': () => runWithNest(trunk),
      'nest with network ms': () => runWithNest(trunk, NETWORK),
      'nest, three requests ms': () => startWithNest(trunk),
      'crun ms': () => guest.ask('crun') as Promise<number>,
      'runc ms': () => guest.ask('runc') as Promise<number>,
    });
    report('measuring 300 starts in a row');
    const row: number[] = [];
    for (let round = 0; round < ROW; round += 1) row.push(await runWithNest(trunk));
    const { 'nest ms': nest, 'nest with network ms': networked, 'crun ms': crun, 'runc ms': runc } = samples;
    return {
      goals: [
        atMost(0.4, { id: 'start-crun', what: 'start ÷ crun run', value: pairedRatio(nest, crun) }),
        atMost(0.4, { id: 'start-runc', what: 'start ÷ runc run', value: pairedRatio(nest, runc) }),
        atMost(3, { id: 'start-spread', what: 'p99 ÷ p50 of 300 starts', value: quantile(row, 0.99) / median(row) }),
        atMost(1.3, { id: 'start-network', what: 'start with network ÷ without', value: pairedRatio(networked, nest) }),
      ],
      samples: { ...samples, 'nest in a row ms': row },
      setting: { accelerator },
    };
  },
};

const ROW = 300;

/** One request, as `crun run` is one command: from there, on the host, to the first frame of output, on the host. */
function runWithNest(trunk: Trunk, network?: Network): Promise<number> {
  return untilOutput(trunk, (body) =>
    trunk.open({ method: 'POST', path: '/v1/run', body: { ...body, ...(network && { network }) } }),
  );
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
  const spec = containerSpec(COMMAND);
  const begin = performance.now();
  const output = await start(spec);
  const ended = once(output, 'end');
  await once(output, 'data');
  const milliseconds = performance.now() - begin;
  await ended;
  await trunk.send({ method: 'DELETE', path: `/v1/containers/${spec.id}` });
  return milliseconds;
}

/** An address, a bridge and a resolver, as a container of a Compose project has them. */
const NETWORK: Network = {
  mode: 'bridge',
  attachments: [
    {
      network: 'be'.repeat(6),
      subnet: '10.89.0.0/24',
      gateway: '10.89.0.1',
      internal: false,
      resolves: true,
      names: ['bench'],
    },
  ],
};
