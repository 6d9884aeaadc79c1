import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { makeSquashfs } from '../../src/guest-image/squashfs.ts';

/** /bin with busybox and the folders that runtimes mount on. */
export async function busyboxLayer(work: string): Promise<string> {
  const root = path.join(work, 'root');
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    await mkdir(path.join(root, folder), { recursive: true });
  await copyFile('/bin/busybox', path.join(root, 'bin/busybox'));
  await chmod(path.join(root, 'bin/busybox'), 0o755);
  for (const applet of ['echo', 'sh', 'sleep', 'true']) await symlink('busybox', path.join(root, 'bin', applet));
  const layer = path.join(work, 'layer.squashfs');
  await makeSquashfs(root, layer);
  return layer;
}
