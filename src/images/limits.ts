/** What nest accepts from an image, whoever made it. Larger is refused with the limit's name, never cut. */
export interface LayerLimits {
  /** Files, directories and whiteouts of one layer, implied directories included. */
  entries: number;
  /** sqfstar searches a directory linearly for each new name: 50,000 names take 15 s, 100,000 take 160 s. */
  entriesPerDirectory: number;
  /** Components of a path. */
  depth: number;
  /** Uncompressed bytes of one layer. */
  size: number;
  /** Uncompressed bytes for each compressed one; small layers (below 64 MiB uncompressed) are not asked. */
  ratio: number;
  /** Bytes of all extended attributes of a layer; sqfstar keeps them in memory. */
  xattrs: number;
}

export const LAYER_LIMITS: LayerLimits = {
  entries: 1_000_000,
  entriesPerDirectory: 50_000,
  depth: 128,
  size: 32 * 1024 ** 3,
  // Deflate cannot exceed 1032; zstd can, by far.
  ratio: 1100,
  xattrs: 64 * 1024 ** 2,
};

/** Below this size a ratio says nothing. */
export const RATIO_FLOOR = 64 * 1024 ** 2;

/** linux/limits.h: PATH_MAX, NAME_MAX, XATTR_NAME_MAX, XATTR_SIZE_MAX. */
export const PATH_MAX = 4096;
export const NAME_MAX = 255;
export const XATTR_NAME_MAX = 255;
export const XATTR_SIZE_MAX = 65536;

/** Registries and containerd read no manifest above 4 MiB. */
export const MAX_DOCUMENT = 4 * 1024 ** 2;

/** Bytes of an archive with images, uncompressed. */
export const MAX_ARCHIVE = 64 * 1024 ** 3;

/** Of an image. Docker stops at 127; others make more, and stack.ts makes few disks of many. */
export const MAX_LAYERS = 1000;
