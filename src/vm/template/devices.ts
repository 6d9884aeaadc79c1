/**
 * The state of a guest's devices and processors, which is all of a guest but its memory and disks: QEMU's migration stream
 * without the memory (`x-ignore-shared`), half a megabyte.
 */
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import type { Libvirt } from '../../libvirt/libvirt.ts';
import { monitor } from '../monitor.ts';

/** Of a domain that is stopped, and whose memory is a shared file. */
export function saveDevices(libvirt: Libvirt, domain: string, file: FileHandle, signal: AbortSignal): Promise<void> {
  return migrate(libvirt, domain, 'migrate', file, signal);
}

/** Into a domain that was started with `-incoming defer`, over the memory that belongs to it. */
export function loadDevices(libvirt: Libvirt, domain: string, file: FileHandle, signal: AbortSignal): Promise<void> {
  return migrate(libvirt, domain, 'migrate-incoming', file, signal);
}

async function migrate(
  libvirt: Libvirt,
  domain: string,
  command: 'migrate' | 'migrate-incoming',
  file: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  await monitor(libvirt, domain, 'migrate-set-capabilities', {
    capabilities: [{ capability: 'x-ignore-shared', state: true }],
  });
  await monitor(libvirt, domain, 'getfd', { fdname: FILE_NAME }, file.fd);
  await monitor(libvirt, domain, command, { uri: `fd:${FILE_NAME}` });
  for (;;) {
    const { status, ...progress } = v.parse(Progress, await monitor(libvirt, domain, 'query-migrate'));
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      const why = progress['error-desc'] ?? `the migration was ${status}`;
      throw new NestError('libvirt', `${command} domain \`${domain}\`: ${why}`);
    }
    // QEMU's MIGRATION event reaches only libvirt.
    await delay(POLL_MILLISECONDS, undefined, { signal });
  }
}

const Progress = v.object({ status: v.optional(v.string()), 'error-desc': v.optional(v.string()) });
const FILE_NAME = 'nest-devices';
const POLL_MILLISECONDS = 3;
