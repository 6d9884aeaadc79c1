import { layerTree, type Directory, type LayerPlan } from './layer-tree.ts';
import { PATH_MAX, XATTR_NAME_MAX, XATTR_SIZE_MAX, type LayerLimits } from './limits.ts';
import { clampTime } from './rewrite.ts';
import { MalformedTar, printable, type TarEntry } from '../../guest-agent/tar/entry.ts';
import { readTar } from '../../guest-agent/tar/reader.ts';

export interface Inspection {
  plan: LayerPlan;
  root: Directory;
  entries: number;
  /** Bytes of the files. */
  size: number;
  /** Seconds since 1970 of the newest entry. */
  newest: number;
}

/**
 * Reads a layer's archive to its end and refuses it as a whole if any part of it is not acceptable, so that the pass
 * that writes meets no surprise.
 *
 * @param first index of the archive's first entry
 */
export async function inspectLayer(source: AsyncIterable<Buffer>, limits: LayerLimits, first = 0): Promise<Inspection> {
  const tree = layerTree(limits, first);
  let newest = 0;
  let size = 0;
  let xattrs = 0;
  let entries = 0;
  for await (const { entry } of readTar(source)) {
    check(entry);
    for (const value of entry.xattrs.values()) xattrs += value.length;
    if (xattrs > limits.xattrs) throw new MalformedTar(`more than ${limits.xattrs} bytes of extended attributes`);
    tree.add(entry);
    entries += 1;
    size += entry.size;
    newest = Math.max(newest, clampTime(entry.mtime));
  }
  return { plan: tree.plan(), root: tree.root, entries, size, newest };
}

/** What squashfs and Linux can hold, apart from the path, which the tree judges. */
function check(entry: TarEntry): void {
  const refuse = (why: string) => new MalformedTar(`\`${printable(entry.name)}\`: ${why}`);
  for (const owner of [entry.uid, entry.gid])
    if (!Number.isInteger(owner) || owner < 0 || owner > MAX_OWNER) throw refuse(`owner ${owner}`);
  if (entry.type === 'symlink' && (entry.linkName === '' || entry.linkName.length >= PATH_MAX))
    throw refuse('symbolic link with an empty or too long target');
  if (entry.linkName.includes('\0')) throw refuse('link target that holds a zero byte');
  if (entry.type === 'character-device' || entry.type === 'block-device') {
    const { deviceMajor: major, deviceMinor: minor } = entry;
    if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) throw refuse(`device ${major}:${minor}`);
  }
  for (const [key, value] of entry.xattrs) {
    if (key.length > XATTR_NAME_MAX || key.includes('\0') || value.length > XATTR_SIZE_MAX)
      throw refuse('extended attribute larger than Linux allows');
  }
}

/** -1 means "unchanged" to chown(2). */
const MAX_OWNER = 0xfffffffe;

/** sqfstar 4.5.1 mixes the bits of larger minors into the major. */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xff;
