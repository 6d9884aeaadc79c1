import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { serialQueue } from './container/queue.ts';
import { conflict } from './errors.ts';

/** The volumes that are mounted, each once for all containers. */
export interface Volumes {
  /**
   * Mounting a mounted volume succeeds, also where unmounting it had got half way.
   *
   * @returns false when it must be mounted for writing first: rootfs/volume.ts
   */
  mount(id: string, readOnly: boolean): Promise<boolean>;
  /** Resolves when all of it is written and its disk can go. Absent is success. */
  unmount(id: string): Promise<void>;
  /** Resolves when all that was written to it is on its disk. */
  flush(id: string): Promise<void>;
  /** Folder that the volume is mounted on. Throws when it is not. */
  folder(id: string): string;
  /** One filling of a volume after another: container/fill-volumes.ts. */
  inTurn: ReturnType<typeof serialQueue>;
}

export interface VolumeMounts {
  /** Path of the disk with this serial, waited for a while. */
  findDisk(serial: string): Promise<string>;
  mountVolume(disk: string, folder: string, readOnly: boolean): Promise<boolean>;
  flushVolume(folder: string): Promise<void>;
  /** Removes the folder too, and the disk from the guest. */
  unmountVolume(disk: string, folder: string): Promise<void>;
  /** Folders in `parent` that something is mounted on. */
  mountedIn(parent: string): string[];
}

/** Finds the volumes that an earlier agent mounted. */
export function openVolumes(parent: string, mounts: VolumeMounts): Volumes {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const mounted = new Set(mounts.mountedIn(parent).map((folder) => basename(folder)));
  const inTurn = serialQueue();
  return {
    inTurn,
    mount: (id, readOnly) =>
      inTurn(async () => {
        if (!(await mounts.mountVolume(await mounts.findDisk(id), join(parent, id), readOnly))) return false;
        mounted.add(id);
        return true;
      }),
    unmount: (id) =>
      inTurn(async () => {
        if (!mounted.has(id)) return;
        // Should it fail, it is neither mounted for new containers nor gone: asking again goes on with it.
        await mounts.unmountVolume(await mounts.findDisk(id), join(parent, id));
        mounted.delete(id);
      }),
    async flush(id) {
      await mounts.flushVolume(join(parent, id));
    },
    folder(id) {
      if (!mounted.has(id)) throw conflict(`use volume \`${id}\`: it is not mounted`);
      return join(parent, id);
    },
  };
}
