import { chmod, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import type { ProcessOwner } from '../libvirt/domain-xml.ts';
import type { Paths } from '../paths.ts';

/**
 * Makes the folders that QEMU goes through. Where it runs as another user they may be passed, not listed; what is in
 * them is protected by its own mode.
 */
export async function prepareFolders(paths: Paths, owner: ProcessOwner | null): Promise<void> {
  const mode = owner ? 0o711 : 0o700;
  for (const folder of [
    paths.data,
    paths.runtime,
    paths.guests,
    paths.volumes,
    paths.guestImages,
    paths.stockImages,
    paths.agents,
    paths.layers,
    paths.templates,
  ]) {
    await mkdir(folder, { recursive: true, mode });
    if (owner && !passable(await stat(folder), owner)) await chmod(folder, mode);
  }
  if (owner) await checkWay(path.resolve(paths.data), owner);
}

/** Checks every folder above; those are not ours to change. */
async function checkWay(folder: string, owner: ProcessOwner): Promise<void> {
  for (let above = path.dirname(folder); ; above = path.dirname(above)) {
    if (!passable(await stat(above), owner))
      throw new NestError(
        'not-permitted',
        `keep state in \`${folder}\`: QEMU's user ${owner.uid} may not pass \`${above}\``,
        {
          hint: `Let it: chmod o+x ${above}; or choose another place with NEST_DATA_DIR`,
        },
      );
    if (above === path.dirname(above)) return;
  }
}

function passable({ mode, uid, gid }: { mode: number; uid: number; gid: number }, owner: ProcessOwner): boolean {
  if (uid === owner.uid) return (mode & 0o100) !== 0;
  if (gid === owner.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
