import { chmod, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildGuestImage } from '../../src/guest-image/guest-image.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';

/**
 * The guest image that all tests share. It is built by the first that asks and stays from run to run, in
 * `NEST_TEST_DATA` or a folder of this user below the temporary one.
 *
 * @returns paths of the data directory that holds it
 */
export async function testGuestImage(): Promise<{ paths: Paths }> {
  const folder = process.env['NEST_TEST_DATA'] ?? path.join(tmpdir(), `nest-test-${process.getuid?.() ?? 0}`);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711); // QEMU runs as another user under qemu:///system
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  await buildGuestImage(paths, 'debian-12', { progress: silent });
  return { paths };
}
