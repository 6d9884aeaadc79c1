import { MalformedTar, padding, type TarEntry } from '../../guest-agent/tar/entry.ts';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { tarEnd, tarHeader } from '../../guest-agent/tar/writer.ts';
import { layerTree } from './layer-tree.ts';
import { LAYER_LIMITS, type LayerLimits } from './limits.ts';

/**
 * An archive again, entry by entry, for whoever unpacks it: nothing in it leaves the folder that it is unpacked in or goes
 * through a link, and the bytes are this program's, not the sender's.
 *
 * @param edit what becomes of an entry; undefined leaves it out
 * @throws MalformedTar
 */
export async function* checkedTar(
  source: AsyncIterable<Buffer>,
  edit: (entry: TarEntry) => TarEntry | undefined = (entry) => entry,
  limits: LayerLimits = LAYER_LIMITS,
): AsyncGenerator<Buffer> {
  const tree = layerTree(limits);
  let size = 0;
  for await (const { entry, body } of readTar(source)) {
    const kept = edit(entry);
    if (kept === undefined) continue;
    tree.add(kept);
    size += entry.size;
    if (size > limits.size) throw new MalformedTar(`more than ${limits.size} bytes`);
    yield tarHeader(kept);
    yield* body;
    yield Buffer.alloc(padding(entry.size));
  }
  yield tarEnd();
}
