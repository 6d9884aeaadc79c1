import { normalize } from '../../images/images.ts';
import { commitContainer } from '../containers/commit.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { seeGuests } from './find.ts';
import { named } from './images.ts';
import { flag } from './query.ts';

/** POST /commit: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageCommit */
export function commitRoutes(ctx: Context): Route[] {
  return [{ method: 'POST', path: '/commit', handle: (call) => commit(ctx, call) }];
}

async function commit(ctx: Context, { query, signal }: Call): Promise<Reply> {
  await seeGuests(ctx);
  const container = ctx.state.containers.find(query.get('container') ?? '');
  const repository = query.get('repo') ?? '';
  const request = {
    references: repository === '' ? [] : [normalize(named(repository, query.get('tag') ?? ''))],
    author: query.get('author') ?? '',
    comment: query.get('comment') ?? '',
    changes: query.getAll('changes').filter((text) => text !== ''),
    pause: (query.get('pause') ?? '') === '' || flag(query, 'pause'),
  };
  return { status: 201, json: { Id: await commitContainer(ctx, container, request, signal) } };
}
