import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { readTar } from '../../guest-agent/tar/reader.ts';
import type { LayerFile } from '../../src/images/images.ts';

/**
 * All that GNU tar sees of a folder: each path with type, mode, owner, time, size, content, link, device and attributes.
 * The folder's own root is left out.
 */
export async function treeOf(folder: string): Promise<Record<string, string>> {
  const flags = ['--sort=name', '--numeric-owner', '--format=pax', '--xattrs', '--xattrs-include=*'];
  const tar = spawn('tar', [...flags, '-cf', '-', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const tree: Record<string, string> = {};
  for await (const { entry, body } of readTar(tar.stdout as AsyncIterable<Buffer>)) {
    const hash = createHash('sha1');
    for await (const chunk of body) hash.update(chunk);
    const { name, xattrs, ...rest } = entry;
    const attributes = [...xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).sort();
    if (name !== './') tree[name] = JSON.stringify([rest, hash.digest('hex').slice(0, 12), attributes]);
  }
  return tree;
}

/** Mounts the disks of an image as a guest does, one overlay over squashfs layers, until the test's end. */
export async function mountDisks(t: ExecutionContext, folder: string, disks: LayerFile[]): Promise<string> {
  const lowers: string[] = [];
  const mounted = async (name: string, ...parameters: string[]) => {
    const target = path.join(folder, name);
    await mkdir(target, { recursive: true });
    execFileSync('mount', [...parameters, target]);
    t.teardown(() => execFileSync('umount', [target]));
    return target;
  };
  for (const [i, { path: disk }] of disks.entries())
    lowers.unshift(await mounted(`layer-${i}`, '-t', 'squashfs', '-o', 'loop,ro', disk));
  await mkdir(path.join(folder, 'upper'), { recursive: true });
  await mkdir(path.join(folder, 'work'), { recursive: true });
  const options = `lowerdir=${lowers.join(':')},upperdir=${folder}/upper,workdir=${folder}/work`;
  return mounted('merged', '-t', 'overlay', '-o', options, 'overlay');
}
