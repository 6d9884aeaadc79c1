import * as v from 'valibot';
import { SnapshotName, type GuestSnapshot } from '../../api.ts';
import { NestError } from '../../errors.ts';
import type { Snapshot } from '../../vm/guests.ts';
import type { Context } from '../context.ts';
import { restoreSnapshot, takeSnapshot } from '../guests/life-cycle.ts';
import type { Call, Route } from '../http/route.ts';
import { describeGuest, findGuest } from './guests.ts';
import { resultStream } from './result-stream.ts';

/** Snapshots of guests; the table is in src/api.ts. */
export function snapshotRoutes(ctx: Context): Route[] {
  const find = (call: Call) => findGuest(ctx, call.params['guest'] ?? '');
  return [
    {
      method: 'GET',
      path: '/nest/guests/:guest/snapshots',
      handle: async (call) => {
        const { id } = await find(call);
        return { status: 200, json: (await (await ctx.link.open()).snapshots(id)).map(shown) };
      },
    },
    {
      method: 'POST',
      path: '/nest/guests/:guest/snapshots/:snapshot',
      handle: async (call) => {
        const [guest, name] = [await find(call), snapshotName(call)];
        return resultStream(ctx, call, (progress) =>
          progress.step(`Take snapshot ${name} of guest ${guest.name}`, async () =>
            shown(await takeSnapshot(ctx, guest, name)),
          ),
        );
      },
    },
    {
      method: 'POST',
      path: '/nest/guests/:guest/snapshots/:snapshot/restore',
      handle: async (call) => {
        const [guest, name] = [await find(call), snapshotName(call)];
        return resultStream(ctx, call, (progress) =>
          progress.step(`Restore guest ${guest.name} to snapshot ${name}`, async () => {
            await restoreSnapshot(ctx, guest, name);
            return describeGuest(ctx, await findGuest(ctx, guest.id), null);
          }),
        );
      },
    },
    {
      method: 'DELETE',
      path: '/nest/guests/:guest/snapshots/:snapshot',
      handle: async (call) => {
        const { id } = await find(call);
        await (await ctx.link.open()).deleteSnapshot(id, snapshotName(call));
        return { status: 204 };
      },
    },
  ];
}

function snapshotName({ params }: Call): string {
  const parsed = v.safeParse(SnapshotName, params['snapshot']);
  if (parsed.success) return parsed.output;
  throw new NestError('invalid-input', `take \`${(params['snapshot'] ?? '').slice(0, 128)}\` for a snapshot's name`, {
    hint: 'letters, digits, _ . and -, at most 63, beginning with a letter or digit',
  });
}

function shown({ name, createdAt }: Snapshot): GuestSnapshot {
  return { name, createdAt };
}
