import { AgentInfo } from '../../../guest-agent/api.ts';
import type { GuestUsage } from '../../api.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import type { Context } from '../context.ts';

/** What a guest uses of the memory it was promised: as it says itself, and as the host sees it. */
export async function guestUsage(ctx: Context, { id, state }: GuestRecord): Promise<GuestUsage> {
  const guests = await ctx.link.open();
  const inside = async () => {
    if (state !== 'running') return null;
    const signal = AbortSignal.timeout(ANSWER_MILLISECONDS);
    const info = await guests.trunk(id).request({ method: 'GET', path: '/v1/info', signal }, AgentInfo);
    return Math.max(0, info.memoryTotal - info.memoryAvailable);
  };
  const [used, host] = await Promise.all([inside().catch(() => null), guests.hostUsage(id)]);
  return { used, held: host?.held ?? null, shared: host?.shared ?? null };
}

/** Who lists guests does not wait for one that has frozen. */
const ANSWER_MILLISECONDS = 1_000;
