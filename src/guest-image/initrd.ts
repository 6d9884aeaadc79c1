import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cpio, S_IFDIR, S_IFREG, type CpioEntry } from './cpio.ts';
import type { KernelModule } from './kernel-modules.ts';

/**
 * The initramfs: busybox, the recipe's initrd/init and the modules that the root disk needs, numbered in the order they
 * are loaded in. Not compressed: it is small, and an emulated guest reads faster than it decompresses.
 */
export async function makeInitrd(parts: {
  init: string;
  busybox: string;
  moduleTree: string;
  modules: KernelModule[];
}): Promise<Buffer> {
  const modules = parts.modules.map(async (module, index) =>
    file(
      `modules/${String(index).padStart(2, '0')}-${module.name}.ko`,
      0o644,
      path.join(parts.moduleTree, module.path),
    ),
  );
  return cpio([
    ...['bin', 'dev', 'modules', 'proc', 'root'].map(folder),
    await file('init', 0o755, parts.init),
    await file('bin/busybox', 0o755, parts.busybox),
    ...(await Promise.all(modules)),
  ]);
}

function folder(name: string): CpioEntry {
  return { path: name, mode: S_IFDIR | 0o755, content: Buffer.alloc(0) };
}

async function file(name: string, permissions: number, source: string): Promise<CpioEntry> {
  return { path: name, mode: S_IFREG | permissions, content: await readFile(source) };
}
