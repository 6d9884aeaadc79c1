import * as v from 'valibot';
import type { Engine } from './connect.ts';

/** One name of an image in the host's store. */
export interface ImageRow {
  repository: string;
  tag: string;
  id: string;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** A row for each name, as in `docker images`; `<none>` for an image without one. */
export async function listImages(engine: Engine, filters: Record<string, string[]> = {}): Promise<ImageRow[]> {
  const listed = await engine.docker((docker) => docker.listImages({ filters: JSON.stringify(filters) }));
  return v.parse(v.array(Summary), listed).flatMap(({ Id, RepoTags, Size, Created }) =>
    (RepoTags?.length ? RepoTags : ['<none>:<none>']).map((name) => {
      const at = name.lastIndexOf(':');
      return { repository: name.slice(0, at), tag: name.slice(at + 1), id: Id, size: Size, createdAt: Created * 1000 };
    }),
  );
}

/** One instruction that made an image. */
export interface HistoryRow {
  createdBy: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Bytes of its layer, compressed. */
  size: number;
  comment: string;
}

/** The newest first. */
export async function imageHistory(engine: Engine, name: string): Promise<HistoryRow[]> {
  const steps = v.parse(v.array(Step), await engine.docker((docker) => docker.getImage(name).history()));
  return steps.map(({ CreatedBy, Created, Size, Comment }) => ({
    createdBy: CreatedBy,
    createdAt: Created * 1000,
    size: Size,
    comment: Comment,
  }));
}

/** What removing or pruning images did: names that were taken away, ids of images that went. */
export interface RemovedImages {
  untagged: string[];
  deleted: string[];
}

export async function removeImage(engine: Engine, name: string, force: boolean): Promise<RemovedImages> {
  return removedImages(await engine.docker((docker) => docker.getImage(name).remove({ force })));
}

/** @param all true: also images with names, if no container was made from them */
export async function pruneImages(engine: Engine, all: boolean): Promise<RemovedImages & { freed: number }> {
  const filters = JSON.stringify({ dangling: [String(!all)] });
  const pruned = v.parse(Pruned, await engine.docker((docker) => docker.pruneImages({ filters })));
  return { ...removedImages(pruned.ImagesDeleted), freed: pruned.SpaceReclaimed };
}

function removedImages(reply: unknown): RemovedImages {
  const items = v.parse(v.nullish(v.array(Item), []), reply);
  return {
    untagged: items.flatMap(({ Untagged }) => Untagged ?? []),
    deleted: items.flatMap(({ Deleted }) => Deleted ?? []),
  };
}

const Summary = v.object({
  Id: v.string(),
  RepoTags: v.nullish(v.array(v.string())),
  Size: v.number(),
  /** Seconds since 1970. */
  Created: v.number(),
});
const Step = v.object({ CreatedBy: v.string(), Created: v.number(), Size: v.number(), Comment: v.string() });
const Item = v.object({ Untagged: v.optional(v.string()), Deleted: v.optional(v.string()) });
const Pruned = v.object({ ImagesDeleted: v.unknown(), SpaceReclaimed: v.number() });
