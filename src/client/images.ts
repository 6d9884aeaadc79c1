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
export async function listImages(engine: Engine): Promise<ImageRow[]> {
  const listed = await engine.docker((docker) => docker.listImages());
  return v.parse(v.array(Summary), listed).flatMap(({ Id, RepoTags, Size, Created }) =>
    (RepoTags?.length ? RepoTags : ['<none>:<none>']).map((name) => {
      const at = name.lastIndexOf(':');
      return { repository: name.slice(0, at), tag: name.slice(at + 1), id: Id, size: Size, createdAt: Created * 1000 };
    }),
  );
}

const Summary = v.object({
  Id: v.string(),
  RepoTags: v.nullish(v.array(v.string())),
  Size: v.number(),
  /** Seconds since 1970. */
  Created: v.number(),
});
