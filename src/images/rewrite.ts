import type { LayerPlan } from './layer-tree.ts';
import { padding, type TarEntry, tarEntry } from '../../guest-agent/tar/entry.ts';
import type { TarItem } from '../../guest-agent/tar/reader.ts';
import { tarEnd, tarHeader } from '../../guest-agent/tar/writer.ts';
import { diskXattrs, whiteoutDevice } from './whiteouts.ts';

/**
 * The layer's archive, or those of several layers one after another, once more, as overlayfs wants to find it on disk: whiteouts as devices, opaque directories marked,
 * every directory present, every path once.
 *
 * | entry of the layer | in the result |
 * |---|---|
 * | file, also "contiguous" | the same, under each of its hard-linked names that stay |
 * | directory, symbolic link, fifo | the same; a link's target is the container's own business, resolved in its root |
 * | character or block device | the same; nodes are inert until a guest's mount and cgroup allow them |
 * | hard link | a name of its file |
 * | `.wh.NAME`, `.wh..wh..opq` | character device 0/0, `trusted.overlay.opaque` on the directory |
 * | replaced later in the same archive | left out |
 * | anything else | refused by readTar |
 */
export async function* rewriteLayer(items: AsyncIterable<TarItem>, plan: LayerPlan): AsyncGenerator<Buffer> {
  for (const { path, opaque } of plan.implied)
    yield tarHeader({ ...IMPLIED_DIRECTORY, name: path, xattrs: diskXattrs(new Map(), opaque) });
  for (const path of plan.whiteouts) yield tarHeader(whiteoutDevice(path));
  let index = 0;
  for await (const { entry, body } of items) {
    const [name, ...links] = plan.paths.get(index) ?? [];
    const opaque = plan.opaque.has(index++);
    if (name === undefined) continue;
    yield tarHeader({ ...onDisk(entry), name, xattrs: diskXattrs(entry.xattrs, opaque) });
    yield* body;
    yield Buffer.alloc(padding(entry.size));
    for (const link of links)
      yield tarHeader({ ...onDisk(entry), type: 'hard-link', name: link, linkName: name, size: 0, xattrs: new Map() });
  }
  yield tarEnd();
}

/** Times that squashfs can hold: unsigned 32 bit. */
export function clampTime(mtime: number): number {
  return Math.min(Math.max(mtime, 0), 0xffffffff);
}

function onDisk(entry: TarEntry): TarEntry {
  return { ...entry, mtime: clampTime(entry.mtime) };
}

/** What Docker gives to a directory of which only the content is listed. */
const IMPLIED_DIRECTORY = tarEntry({ name: '', type: 'directory', mode: 0o755 });
