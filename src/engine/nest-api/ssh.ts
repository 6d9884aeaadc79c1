import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Call, Route } from '../http/route.ts';
import { findGuest } from './guests.ts';

/** The way to the sshd of guests that boot a stock image; the table is in src/api.ts. */
export function sshRoutes(ctx: Context): Route[] {
  const find = (call: Call) => findGuest(ctx, call.params['guest'] ?? '');
  return [
    {
      method: 'GET',
      path: '/nest/guests/:guest/ssh',
      handle: async (call) => {
        const { id } = await find(call);
        return { status: 200, json: await (await ctx.link.open()).sshAccess(id) };
      },
    },
    {
      method: 'POST',
      path: '/nest/guests/:guest/ssh',
      hijacks: true,
      handle: async (call) => {
        const { id, name, state } = await find(call);
        if (state === 'stopped' || state === 'paused')
          throw new NestError('conflict', `log in to guest \`${name}\`: it is ${state}`, {
            hint: `nest vm ${state === 'paused' ? 'resume' : 'start'} ${name}`,
          });
        const guests = await ctx.link.open();
        // Of another guest than one of a stock image it says so.
        await guests.sshAccess(id);
        const socket = await guests.dialSshd(id, call.signal);
        return { attached: { output: socket, input: socket, raw: true }, stdin: true };
      },
    },
  ];
}
