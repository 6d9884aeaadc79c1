import type { VolumeMount } from '../../../guest-agent/api.ts';
import type { AcceleratorChoice } from '../../api.ts';
import {
  countedMemory,
  HOST_RESERVE,
  place,
  type PlacementGuest,
  type PlacementRequest,
} from '../../placement/place.ts';
import { OWN_GUEST_IMAGE } from '../../guest-image/guest-image.ts';
import type { Progress } from '../../progress.ts';
import type { GuestRecord, Guests } from '../../vm/guests.ts';
import { memoryLimit } from '../containers/limits.ts';
import { companionsOf } from '../networks/companions.ts';
import { networkIdsOf } from '../networks/networks.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { Context } from '../context.ts';
import { pinOf, placedUsers } from '../volumes/pin.ts';
import { bootOnce, type Boots } from './boots.ts';

export interface SeatRequest extends Omit<PlacementRequest, 'pin' | 'companions'> {
  companions?: CreateRequest['companions'];
  accelerator: AcceleratorChoice;
  volumes?: VolumeMount[];
  /** Of the container, whose networks may be in a guest already. */
  record?: ContainerRecord;
}

/** A container's place in a guest that answers, held until the container's row counts for it. */
export interface Seat {
  guest: GuestRecord;
  reason: string;
  /** True when the guest was booted for it. */
  isNew: boolean;
  release(): void;
}

export interface Seats {
  /** Chooses a guest and boots it where it is a new one. @throws NestError `no-room`, and what booting throws. */
  take(request: SeatRequest, progress: Progress, signal?: AbortSignal): Promise<Seat>;
  /** True while somebody holds a seat in that guest. */
  taken(guestId: string): boolean;
}

/** What the host has to give: bytes that new guests may take, and cores. */
export interface HostCapacity {
  memoryAvailable(): Promise<number>;
  cpus: number;
}

export function createSeats(ctx: Context, host: HostCapacity): Seats {
  const held = new Map<symbol, HeldSeat>();
  const boots: Boots = new Map();
  const heldIn = (name: string) => [...held.values()].filter((seat) => seat.guestName === name);
  return {
    async take({ volumes = [], ...request }, progress, signal) {
      const guests = await ctx.link.open();
      // A guest that has not been heard since the engine's start would be passed over for a new one.
      await ctx.watch.settled();
      const available = await host.memoryAvailable();
      // From here to `held.set` nothing waits, so two requests never count on the same room.
      const users = [...placedUsers(ctx, guests), ...held.values().map((seat) => ({ ...seat, firm: true }))];
      const pin = pinOf(volumes, users, (id) => ctx.volumes.store.get(id)?.name ?? id);
      const own = request.record === undefined ? [] : networkIdsOf(request.record.spec);
      const networks = [...new Set([...own, ...(request.companions?.networks ?? [])])];
      const beside = besideOf(ctx, request.record, networks, guests) ?? besideHeld(networks, held.values());
      const placement = place({ ...request, pin, beside }, candidates(ctx, guests, boots, heldIn), {
        memoryAvailable: available - promisedToBooting(boots),
        cpus: host.cpus,
        reserve: HOST_RESERVE,
      });
      const seat = Symbol();
      const guestName = placement.kind === 'new' ? placement.name : placement.guest.name;
      held.set(seat, { guestName, memory: countedMemory(request.memoryLimit), volumes, networks });
      try {
        const running =
          placement.kind === 'existing' && !boots.has(guestName) ? guests.get(placement.guest.id) : undefined;
        const shape = placement.kind === 'new' ? placement.shape : undefined;
        const { zone, accelerator, guestImage = OWN_GUEST_IMAGE } = request;
        const boot = { zone, name: guestName, shape, guestImage, accelerator };
        const guest = running ?? (await bootOnce(boots, guests, boot, progress, signal));
        const release = () => void held.delete(seat);
        return { guest, reason: placement.reason, isNew: placement.kind === 'new', release };
      } catch (error) {
        held.delete(seat);
        throw error;
      }
    },
    taken: (guestId) => heldIn(ctx.link.current()?.get(guestId)?.name ?? '').length > 0,
  };
}

interface HeldSeat {
  guestName: string;
  memory: number;
  volumes: VolumeMount[];
  /** Ids. */
  networks: string[];
}

/** Where containers of the same networks are. */
function besideOf(
  ctx: Context,
  record: ContainerRecord | undefined,
  networks: string[],
  guests: Guests,
): PlacementRequest['beside'] {
  const companions = record && companionsOf(ctx, record, networks);
  return companions && { guest: guests.get(companions.guest)?.name ?? companions.guest, why: companions.why };
}

/** Where one that is being made at this moment will be. */
function besideHeld(networks: string[], seats: Iterable<HeldSeat>): PlacementRequest['beside'] {
  const seat = [...seats].find((other) => other.networks.some((id) => networks.includes(id)));
  return seat && { guest: seat.guestName, why: 'shares a network with one that is being made' };
}

function candidates(
  ctx: Context,
  guests: Guests,
  boots: Boots,
  heldIn: (name: string) => { memory: number }[],
): PlacementGuest[] {
  const containers = ctx.state.containers.all();
  const sum = (bytes: number[]) => bytes.reduce((total, each) => total + each, 0);
  const known = guests.list().map(({ id, name, zone, state, stock, shape, next }) => ({
    id,
    name,
    zone,
    state: ctx.leaving.has(id) ? ('stopped' as const) : state,
    guestImage: stock ?? OWN_GUEST_IMAGE,
    // What it has both now and from its next start on.
    vcpus: Math.min(shape.vcpus, next?.vcpus ?? Infinity),
    memory: Math.min(shape.memory, next?.memory ?? Infinity),
    committed:
      sum(
        containers
          .filter(({ guest }) => guest === id)
          .map(({ record }) => countedMemory(memoryLimit(record.spec.limits))),
      ) + sum(heldIn(name).map(({ memory }) => memory)),
  }));
  const names = new Set(known.map(({ name }) => name));
  const booting = [...boots].flatMap(([name, { zone, guestImage, shape }]) =>
    names.has(name)
      ? []
      : {
          id: name,
          name,
          zone,
          state: 'starting' as const,
          guestImage,
          ...shape,
          committed: sum(heldIn(name).map(({ memory }) => memory)),
        },
  );
  return [...known, ...booting];
}

/** A booting guest has hardly touched the memory that it was promised. */
function promisedToBooting(boots: Boots): number {
  return [...boots.values()].reduce((total, { shape }) => total + shape.memory, 0);
}
