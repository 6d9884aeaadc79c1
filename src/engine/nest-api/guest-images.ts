import type { Readable } from 'node:stream';
import type { GuestImage } from '../../api.ts';
import { NestError } from '../../errors.ts';
import { OWN_GUEST_IMAGE } from '../../guest-image/guest-image.ts';
import type { Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import { flag } from '../docker-api/query.ts';
import type { Call, Route } from '../http/route.ts';
import { resultStream } from './result-stream.ts';

export interface GuestImages {
  build(recipe: string, force: boolean, progress: Progress, signal: AbortSignal): Promise<GuestImage>;
  /** @param content a distribution's disk image */
  add(name: string, content: Readable, progress: Progress, signal: AbortSignal): Promise<GuestImage>;
  /** Absent is success. */
  remove(name: string): Promise<void>;
  list(): Promise<GuestImage[]>;
}

/** What guests boot; the table is in src/api.ts. */
export function guestImageRoutes(ctx: Context, images: GuestImages): Route[] {
  return [
    { method: 'GET', path: '/nest/guest-images', handle: async () => ({ status: 200, json: await images.list() }) },
    {
      method: 'POST',
      path: '/nest/guest-images',
      handle: (call) => {
        const recipe = call.query.get('recipe') || OWN_GUEST_IMAGE;
        const force = flag(call.query, 'force');
        return resultStream(ctx, call, (progress, signal) => images.build(recipe, force, progress, signal));
      },
    },
    {
      method: 'POST',
      path: '/nest/guest-images/:name',
      handle: (call) =>
        resultStream(ctx, call, (progress, signal) => images.add(nameIn(call), call.body, progress, signal)),
    },
    {
      method: 'DELETE',
      path: '/nest/guest-images/:name',
      handle: async (call) => {
        await remove(ctx, images, nameIn(call));
        return { status: 204 };
      },
    },
  ];
}

/** Guests have disks over their image, those that are stopped too. */
async function remove(ctx: Context, images: GuestImages, name: string): Promise<void> {
  const listed = await images.list();
  if (listed.some(({ recipe, stock }) => recipe === name && !stock))
    throw new NestError('conflict', `remove guest image \`${name}\`: it is nest's own`, {
      hint: 'Only images that were added can be removed.',
    });
  const user = (await ctx.link.open()).list().find(({ stock }) => stock === name);
  if (user !== undefined)
    throw new NestError('conflict', `remove guest image \`${name}\`: guest ${user.name} boots it`, {
      hint: `nest vm delete ${user.name}`,
    });
  await images.remove(name);
}

function nameIn({ params }: Call): string {
  return params['name'] ?? '';
}
