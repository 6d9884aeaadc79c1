import type { ImageConfig } from './config.ts';

export interface Image {
  /** Digest of the configuration: Docker's image id. */
  id: string;
  /** Normalized: `docker.io/library/debian:12`, `localhost/nest-hello:latest`. */
  references: string[];
  /** Of its manifests, `sha256:…`: what follows `@` in a name. */
  digests: string[];
  /** RFC 3339. */
  created: string;
  author: string;
  /** Sum of the compressed layers, bytes. */
  size: number;
  architecture: string;
  /** Diff IDs, base layer first. */
  layers: string[];
  config: ImageConfig;
  /** Base first. */
  history: HistoryStep[];
}

/** One instruction that made an image. */
export interface HistoryStep {
  /** RFC 3339. */
  created: string;
  /** The instruction. */
  createdBy: string;
  comment: string;
  /** Of its layer, compressed bytes; 0 when it changed no file. */
  size: number;
}
