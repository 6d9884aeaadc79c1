import { chmod, chown, writeFile } from 'node:fs/promises';
import { run } from '../../guest-image/run.ts';
import type { StockImage } from '../../guest-image/stock-image.ts';
import { guestPaths } from '../../paths.ts';
import type { Host } from '../host.ts';
import type { GuestRecord } from '../record.ts';
import { makeKeys } from './keys.ts';
import { cloudInitSeed } from './seed.ts';

/** What a guest of a stock image has on disk beside what all have: a system of its own over the image, its keys, its seed. */
export async function makeStockFiles(host: Host, record: GuestRecord, { disk }: StockImage): Promise<void> {
  const { system, seed } = guestPaths(host.paths, record.id);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', disk, '-F', 'qcow2', system]);
  await writeFile(seed, cloudInitSeed(record, await makeKeys(host.paths, record.id)), { mode: 0o600 });
  for (const file of [system, seed]) {
    await chmod(file, 0o600);
    if (host.owner) await chown(file, host.owner.uid, host.owner.gid);
  }
}
