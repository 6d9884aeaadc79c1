import type { AgentEvent } from '../../../guest-agent/api.ts';
import type { GuestRecord, Guests } from '../../vm/guests.ts';
import { loseContainers, observe, vanished } from '../containers/observe.ts';
import { dropContainer } from '../containers/remove.ts';
import type { Context } from '../context.ts';
import type { EngineEvent } from '../events.ts';
import { followAgent } from './agent-events.ts';
import { reconcile } from './reconcile.ts';

/** Keeps the containers' states true: follows the agent of every guest that runs, and notices guests that end. */
export interface GuestWatch {
  /** Called with the guests once they are open. */
  begin(guests: Guests): void;
  /** Resolves when every guest that answers has told its containers' states. */
  settled(): Promise<void>;
  /** Takes in what a guest is now: its changes were not listened to while it was in `leaving`. */
  look(guestId: string): void;
  /** No longer follows that guest. */
  drop(guestId: string): void;
  close(): void;
}

export function watchGuests(ctx: Context): GuestWatch {
  const following = new Map<string, { controller: AbortController; heard: PromiseWithResolvers<undefined> }>();
  let closed = false;
  const drop = (id: string) => {
    following.get(id)?.controller.abort();
    following.get(id)?.heard.resolve(undefined);
    following.delete(id);
  };
  const follow = (guest: GuestRecord, guests: Guests) => {
    if (following.has(guest.id)) return;
    const controller = new AbortController();
    const heard = Promise.withResolvers<undefined>();
    following.set(guest.id, { controller, heard });
    const listener = (event: AgentEvent) => handle(ctx, guest, event).then(() => heard.resolve(undefined));
    let last = '';
    const broken = (error: unknown) => {
      heard.resolve(undefined);
      // What a guest sends must not fill the log.
      const reason = String(error).slice(0, LOGGED_CHARACTERS);
      if (reason !== last) ctx.log(`follow guest \`${guest.name}\`: ${reason}`);
      last = reason;
    };
    void followAgent(guests.trunk(guest.id), listener, broken, controller.signal);
  };
  const update = (guest: GuestRecord, guests: Guests) => {
    // The end of one that is being removed, or let go of with the engine, is no news.
    if (closed || ctx.leaving.has(guest.id) || guests.get(guest.id) === undefined) return;
    switch (guest.state) {
      case 'running':
      case 'unreachable':
      case 'paused':
        follow(guest, guests);
        break;
      case 'stopped':
        drop(guest.id);
        loseContainers(ctx, guest.id, endOf(guest));
        ctx.idle.consider(guest.id);
        break;
      case 'starting':
        break;
    }
  };
  return {
    begin(guests) {
      guests.onChange((guest) => {
        if (!closed && !ctx.leaving.has(guest.id)) tell(ctx, guest);
        update(guest, guests);
      });
      settleOrphans(ctx, guests);
      for (const guest of guests.list()) {
        update(guest, guests);
        ctx.idle.consider(guest.id);
        ctx.volumes.consider(guest.id);
      }
      for (const { record } of ctx.state.containers.all()) ctx.heal.consider(record.id);
    },
    async settled() {
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, SETTLE_MILLISECONDS, undefined);
      await Promise.race([Promise.all(following.values().map(({ heard }) => heard.promise)), late.promise]);
      clearTimeout(timer);
    },
    look(id) {
      const guests = ctx.link.current();
      const guest = guests?.get(id);
      if (guests !== undefined && guest !== undefined) update(guest, guests);
    },
    drop,
    close() {
      closed = true;
      for (const id of [...following.keys()]) drop(id);
    },
  };
}

/** In the words of a lost container's state. */
function endOf({ name, reason }: GuestRecord): string {
  return reason === null ? `guest ${name} is stopped` : `guest ${name} stopped: ${reason}`;
}

/** Guests have events like containers; what Docker's clients do not know they pass on. */
function tell(ctx: Context, { id, name, zone, state, reason }: GuestRecord): void {
  const action = GUEST_ACTIONS[state];
  if (action === undefined) return;
  ctx.events.emit({ type: 'guest', action, id, attributes: { name, zone, ...(reason !== null && { reason }) } });
  if (reason !== null) ctx.log(`guest \`${name}\` ${id} is ${state}: ${reason}`);
}

async function handle(ctx: Context, guest: GuestRecord, event: AgentEvent): Promise<void> {
  switch (event.type) {
    case 'snapshot':
      await reconcile(ctx, guest, event.containers);
      break;
    case 'state':
      if (ctx.state.containers.get(event.state.id)?.guest === guest.id) observe(ctx, event.state);
      break;
    case 'removed':
      if (ctx.state.containers.get(event.id)?.guest === guest.id) vanished(ctx, event.id);
      break;
  }
}

/** What an earlier run left of containers whose guest ended while no engine looked. */
function settleOrphans(ctx: Context, guests: Guests): void {
  for (const container of ctx.state.containers.all()) {
    const { guest, phase, record } = container;
    const known = guest === null ? undefined : guests.get(guest);
    if (guest === null || (known !== undefined && known.state !== 'stopped')) continue;
    if (phase === 'created') loseContainers(ctx, guest, known === undefined ? 'its guest is gone' : endOf(known));
    else
      dropContainer(ctx, container).catch((error: unknown) => ctx.log(`remove \`${record.name}\`: ${String(error)}`));
  }
}

const GUEST_ACTIONS: Partial<Record<GuestRecord['state'], EngineEvent['action']>> = {
  running: 'start',
  unreachable: 'unreachable',
  paused: 'pause',
  stopped: 'die',
};
const LOGGED_CHARACTERS = 300;

/** A guest that does not answer must not keep the others from being listed. */
const SETTLE_MILLISECONDS = 5_000;
