import { DiffId, LayerDisk, VolumeDisk, VolumeId, type VolumeReply } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { parse, readBody } from './input.ts';
import type { Routes } from './router.ts';

/** The agent itself and the layers of its guest. */
export const guestRoutes: Routes = {
  'POST /v1/restart'({ runtime, stream }) {
    stream.once('close', () => setImmediate(runtime.endAgent));
    return { status: 204 };
  },

  'POST /v1/poweroff'({ runtime, stream }) {
    stream.once('close', () => setImmediate(() => runtime.machine.powerOff()));
    return { status: 204 };
  },

  'GET /v1/layers': ({ runtime }) => ({ status: 200, body: runtime.layers.list() }),

  'GET /v1/switch': ({ runtime }) => ({ status: 200, body: [...runtime.kernel.interfaces().keys()] }),

  async 'PUT /v1/layers/:diffId'({ runtime, params, stream }) {
    const diffId = parse(DiffId, params.diffId, 'diff id');
    const { serial } = await readBody(stream, LayerDisk);
    await runtime.layers.mount(diffId, serial);
    return { status: 200, body: {} };
  },

  async 'DELETE /v1/layers/:diffId'({ runtime, params }) {
    const diffId = parse(DiffId, params.diffId, 'diff id');
    const user = userOf(runtime, diffId);
    if (user !== undefined) throw conflict(`unmount layer \`${diffId}\`: container ${user} uses it`);
    await runtime.layers.unmount(diffId);
    return { status: 204 };
  },

  async 'PUT /v1/volumes/:volume'({ runtime, params, stream }) {
    const id = parse(VolumeId, params.volume, 'volume');
    const { readOnly } = await readBody(stream, VolumeDisk);
    return { status: 200, body: { mounted: await runtime.volumes.mount(id, readOnly) } satisfies VolumeReply };
  },

  async 'DELETE /v1/volumes/:volume'({ runtime, params }) {
    const id = parse(VolumeId, params.volume, 'volume');
    const user = [...runtime.containers.values()].find(
      ({ run, spec }) => run !== undefined && spec.volumes?.some(({ volume }) => volume === id),
    );
    if (user !== undefined) throw conflict(`unmount volume \`${id}\`: container ${user.spec.id} runs with it`);
    await runtime.volumes.unmount(id);
    return { status: 204 };
  },
};

function userOf(runtime: Runtime, diffId: string): string | undefined {
  return [...runtime.containers.values()].find(({ spec }) => spec.layers.includes(diffId))?.spec.id;
}
