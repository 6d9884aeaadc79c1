import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildGuestImage, findGuestImage } from '../../src/guest-image/guest-image.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import { chooseAccelerator } from '../../src/vm/accelerator.ts';
import { openGuests, type Guests, type GuestsOptions } from '../../src/vm/guests.ts';
import type { Accelerator } from '../../src/api.ts';

/** Guests through libvirt, without an engine; nothing of them is left when it is disposed. */
export interface BenchHost extends AsyncDisposable {
  /** Of what lives as long as the measurement. */
  paths: Paths;
  uri: string;
  accelerator: Accelerator;
  /** Each call has guests of its own, on the same data. */
  open(options?: Partial<GuestsOptions>): Promise<Guests>;
}

export async function openBenchHost(): Promise<BenchHost> {
  const image = nestPaths();
  await buildGuestImage(image, 'debian-12', { progress: silent });
  const boot = await findGuestImage(image, 'debian-12');
  const { accelerator } = await chooseAccelerator(image, boot, 'auto');
  const uri = process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session';
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-bench-'));
  await chmod(folder, 0o711); // QEMU runs as another user under qemu:///system
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  await mkdir(paths.data, { mode: 0o711 });
  const opened: Guests[] = [];
  return {
    paths,
    uri,
    accelerator,
    async open(options = {}) {
      const instance = randomBytes(16).toString('hex');
      const bootFiles = () => Promise.resolve(boot);
      const log = (line: string) => console.error(line);
      const guests = await openGuests({ paths, uri, instance, bootFiles, bootSeconds: 240, log, ...options });
      opened.push(guests);
      return guests;
    },
    async [Symbol.asyncDispose]() {
      for (const guests of opened) {
        for (const { id } of guests.list()) await guests.remove(id);
        await guests.close();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
