import type { ImageConfig, LayerBlob } from '../images/images.ts';
import { applyLayer } from './layer-tree.ts';
import { emptyTree, type TreeNode } from './file-tree.ts';
import type { Scope } from './scope.ts';
import type { Spool } from './spool.ts';

/** What a stage has come to. */
export interface StageState {
  config: ImageConfig;
  author: string;
  layers: LayerBlob[];
  history: HistoryEntry[];
  /** Of the last step, for the cache. */
  key: string;
  /** False once a step was not in the cache: what follows it was made from something else. */
  cached: boolean;
  /** RFC 3339, of the last step. */
  created: string;
  /** Whether this stage has a CMD of its own. */
  commandSet: boolean;
  scope: Scope;
  files: Files;
}

/** As image-spec config.md has it. */
export interface HistoryEntry {
  created: string;
  created_by: string;
  empty_layer?: true;
}

/** The tree of layers, made when somebody asks. */
export interface Files {
  tree(layers: LayerBlob[]): Promise<TreeNode>;
}

/** @param open a layer's tar, uncompressed */
export function layeredFiles(open: (layer: LayerBlob) => AsyncIterable<Buffer>, spool: Spool): Files {
  const root = emptyTree();
  let applied = 0;
  return {
    async tree(layers) {
      for (; applied < layers.length; applied++) {
        const layer = layers[applied];
        if (layer !== undefined) await applyLayer(root, () => open(layer), spool);
      }
      return root;
    },
  };
}
