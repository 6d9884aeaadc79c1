import { chmod } from 'node:fs/promises';
import type { ProcessOwner } from '../../libvirt/domain-xml.ts';
import type { Template } from './store.ts';

/**
 * Lets QEMU map the template's memory while `start` starts it.
 *
 * QEMU before 8.2 opens a memory file for writing even where it maps it privately, and refuses one of mode 0444. So the
 * file is writable for QEMU's user until the last QEMU that is being started has opened it. What a guest does to its memory
 * stays in its own copy; what could write the file is a QEMU that a guest has taken over, and that shows before the next
 * clone (findTemplate).
 *
 * @param version libvirt's number of QEMU's version
 */
export async function whileMappable<T>(
  template: Template,
  { version, owner }: { version: number; owner: ProcessOwner | null },
  start: () => Promise<T>,
): Promise<T> {
  if (version >= MAPS_READ_ONLY_FILES) return start();
  const file = template.memory;
  starting.set(file, (starting.get(file) ?? 0) + 1);
  try {
    await chmod(file, owner ? GROUP_WRITES : OWNER_WRITES);
    return await start();
  } finally {
    const left = (starting.get(file) ?? 1) - 1;
    if (left > 0) starting.set(file, left);
    else {
      starting.delete(file);
      await chmod(file, 0o444);
    }
  }
}

/** How many are being started on each file. */
const starting = new Map<string, number>();

/** QEMU 8.2.0, "softmmu/physmem: Fallback to opening guest RAM file as readonly in a MAP_PRIVATE mapping". */
const MAPS_READ_ONLY_FILES = 8_002_000;
const GROUP_WRITES = 0o464;
const OWNER_WRITES = 0o644;
