import { NestError } from '../../errors.ts';
import { countedMemory } from '../../placement/place.ts';
import { cpuLimit, memoryLimit } from '../containers/limits.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { Context } from '../context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { membersOf, networkIdsOf } from './networks.ts';

/** The guest that a container must share with others, and why. */
export interface Companions {
  guest: string;
  why: string;
}

/**
 * Where a container must be, as others that it shares a network with are there.
 *
 * @param networks ids of its networks, and of those of others that must be with it
 * @throws NestError `conflict` when they are in several guests, or the one whose network it has is in none
 */
export function companionsOf(
  ctx: Context,
  { id, name, spec }: ContainerRecord,
  networks: string[],
): Companions | undefined {
  const { network } = spec;
  const joined = network?.mode === 'container' ? [ctx.state.containers.find(network.container)] : [];
  const homeless = joined.find(({ guest, lost }) => guest === null || lost !== null);
  if (homeless !== undefined)
    throw new NestError(
      'conflict',
      `place container \`${name}\`: container \`${homeless.record.name}\`, whose network it has, is in no guest`,
      { hint: `start that one first: nest start ${homeless.record.name}` },
    );
  const members = networks.flatMap((network) => membersOf(ctx, network));
  const placed = [...joined, ...members].filter(
    (other) => other.guest !== null && other.lost === null && other.record.id !== id,
  );
  const guests = new Map(placed.map((other) => [other.guest ?? '', other.record.name]));
  if (guests.size > 1)
    throw new NestError(
      'conflict',
      `place container \`${name}\`: its networks are in different guests, with ${[...guests.values()].slice(0, 3).join(' and ')}`,
      {
        hint: 'a network is in one guest: use one network for containers that belong together',
      },
    );
  const [first] = guests;
  return first && { guest: first[0], why: `shares a network with ${first[1]}` };
}

/** What others need that lost their guest with this container, and must be in the next one with it. */
export function lostCompanions(ctx: Context, record: ContainerRecord): NonNullable<CreateRequest['companions']> {
  const lost = ctx.state.containers.all().filter((other) => other.lost !== null);
  const found = new Map([[record.id, record]]);
  // A map that grows while it is walked: whoever is tied to a companion is one.
  for (const one of found.values())
    for (const { record: other } of lost) if (areTied(one.spec, other.spec)) found.set(other.id, other);
  found.delete(record.id);
  const specs = [...found.values()].map(({ spec }) => spec);
  return {
    memory: specs.reduce((total, { limits }) => total + countedMemory(memoryLimit(limits)), 0),
    cpus: Math.max(0, ...specs.map(({ limits }) => cpuLimit(limits) ?? 0)),
    networks: specs.flatMap(networkIdsOf),
  };
}

function areTied(one: Spec, other: Spec): boolean {
  const has = (a: Spec, b: Spec) => a.network?.mode === 'container' && a.network.container === b.id;
  const networks = networkIdsOf(other);
  return has(one, other) || has(other, one) || networkIdsOf(one).some((id) => networks.includes(id));
}

type Spec = ContainerRecord['spec'];
