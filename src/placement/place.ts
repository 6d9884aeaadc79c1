import { NestError } from '../errors.ts';
import { guestOverhead, memoryFor } from './overhead.ts';
import { SHAPES, type Shape } from './shape.ts';

export interface PlacementRequest {
  zone: string;
  /** cgroup v2 memory.max of the container, bytes; undefined without a limit. */
  memoryLimit?: number | undefined;
  /** Cores, e.g. 0.5. */
  cpus?: number | undefined;
  /** The guest's; undefined where any will do. */
  shape?: Shape | undefined;
  /** A guest by name that has a volume of the container: it must be in there, or (not firm) had better be. */
  pin?: { guest: string; volume: string; firm: boolean } | undefined;
  /** Name of what the guest boots; undefined where any will do. */
  guestImage?: string | undefined;
  /** The guest, by name, that it must be in, and why: a network is in one guest. */
  beside?: { guest: string; why: string } | undefined;
  /** Of others that come next and must be in the same guest. */
  companions?: Companions | undefined;
}

export interface Companions {
  /** Sum of their `countedMemory`, bytes. */
  memory: number;
  /** Cores, of the one that asks for most. */
  cpus: number;
}

export interface PlacementGuest {
  id: string;
  /** `<zone>-<n>`. */
  name: string;
  zone: string;
  state: 'starting' | 'running' | 'unreachable' | 'paused' | 'stopped';
  /** Name of what it boots. */
  guestImage: string;
  vcpus: number;
  /** Bytes promised to the guest. */
  memory: number;
  /** Sum of `countedMemory` of its containers, bytes. */
  committed: number;
}

export interface PlacementHost {
  /**
   * Bytes that new guests may take: what the system has available, less what live guests were promised and have not
   * touched yet.
   */
  memoryAvailable: number;
  cpus: number;
  /** Bytes that stay free for the host: HOST_RESERVE. */
  reserve: number;
}

export type Placement =
  | { kind: 'existing'; guest: PlacementGuest; reason: string }
  | { kind: 'new'; name: string; shape: { vcpus: number; memory: number }; reason: string };

/**
 * Chooses the guest of one container. Containers of one zone share a guest while it has room (best fit); containers of
 * different zones never do. Pure: the same request, guests in any order, and host give the same answer.
 *
 * @throws NestError `no-room` when neither a guest of the zone nor the host has room
 */
export function place(request: PlacementRequest, guests: readonly PlacementGuest[], host: PlacementHost): Placement {
  const live = guests.filter((guest) => guest.zone === request.zone && LIVE.has(guest.state));
  if (request.beside !== undefined) return placeBeside(request, request.beside, live);
  const pinned = request.pin && placePinned(request, request.pin, live, guests);
  if (pinned !== undefined) return pinned;
  const fitting = live.filter((guest) => fits(request, guest)).sort(tightestFirst)[0];
  if (fitting !== undefined) {
    const reason = `joins guest ${fitting.name}: same zone, ${mebibytes(freeMemory(fitting))} free`;
    return { kind: 'existing', guest: fitting, reason };
  }
  const shape = newShape(request, host);
  checkHost(request, shape, host);
  const name = lowestFreeName(request.zone, guests);
  return { kind: 'new', name, shape, reason: `new guest ${name}: ${whyNew(request, live, guests)}` };
}

function placePinned(
  request: PlacementRequest,
  { guest: name, volume, firm }: NonNullable<PlacementRequest['pin']>,
  live: PlacementGuest[],
  guests: readonly PlacementGuest[],
): Placement | undefined {
  const guest = live.find((each) => each.name === name);
  if (guest !== undefined && fits(request, guest))
    return { kind: 'existing', guest, reason: `joins guest ${name}: volume ${volume} is used there` };
  if (!firm) return undefined;
  const operation = `place a container in zone \`${request.zone}\``;
  const state = guests.find((each) => each.name === name)?.state;
  const why = guest === undefined ? `is ${state ?? 'gone'}` : whyNot(request, guest);
  throw new NestError('no-room', `${operation}: volume \`${volume}\` is in use in guest \`${name}\`, which ${why}`, {
    hint: 'Ask for what it has, or stop what uses the volume there: one guest at a time has a volume that is written.',
  });
}

/** Where others of its network are, and nowhere else. */
function placeBeside(
  request: PlacementRequest,
  { guest: name, why }: { guest: string; why: string },
  live: PlacementGuest[],
): Placement {
  const { pin } = request;
  const elsewhere = pin?.firm === true && pin.guest !== name;
  const guest = live.find((candidate) => candidate.name === name);
  // They are in it already, or come next: each is asked for itself.
  const alone = { ...request, companions: undefined };
  if (guest !== undefined && !elsewhere && fits(alone, guest))
    return { kind: 'existing', guest, reason: `joins guest ${name}: ${why}, ${mebibytes(freeMemory(guest))} free` };
  const lacks = elsewhere
    ? `its volume ${pin.volume} is in use in guest ${pin.guest}`
    : guest === undefined
      ? 'it does not run'
      : `it ${whyNot(alone, guest)}`;
  throw new NestError('no-room', `place a container in guest \`${name}\`, where it must be as it ${why}: ${lacks}`, {
    hint: 'Ask for less, or use another network: a network is in one guest.',
  });
}

/** Bytes for which a container counts against its guest's memory. */
export function countedMemory(memoryLimit: number | undefined): number {
  return memoryLimit ?? UNLIMITED_COUNTS_AS;
}

/** Bytes left for containers, beside kernel and agent. */
function freeMemory(guest: PlacementGuest): number {
  return Math.max(0, guest.memory - guestOverhead(guest.memory) - guest.committed);
}

function fits(request: PlacementRequest, guest: PlacementGuest): boolean {
  return (
    freeMemory(guest) >= neededMemory(request) &&
    guest.vcpus >= neededVcpus(request) &&
    isShaped(request, guest) &&
    boots(request, guest)
  );
}

/** Of a guest that does not fit: "has another shape". */
function whyNot(request: PlacementRequest, guest: PlacementGuest): string {
  if (!boots(request, guest)) return `boots ${guest.guestImage}`;
  if (!isShaped(request, guest)) return 'has another shape';
  const asked = `${mebibytesUp(neededMemory(request))} and ${neededCpus(request)}`;
  return `has ${mebibytes(freeMemory(guest))} and ${guest.vcpus} CPUs for ${asked}`;
}

function boots({ guestImage }: PlacementRequest, guest: PlacementGuest): boolean {
  return guestImage === undefined || guest.guestImage === guestImage;
}

function neededMemory({ memoryLimit, companions }: PlacementRequest): number {
  return countedMemory(memoryLimit) + (companions?.memory ?? 0);
}

function isShaped({ shape }: PlacementRequest, guest: PlacementGuest): boolean {
  return shape === undefined || (guest.vcpus === shape.vcpus && guest.memory === shape.memory);
}

/** A container may use so many cores at once, so its guest must have them; containers of a guest share its cores. */
function neededVcpus(request: PlacementRequest): number {
  return Math.ceil(neededCpus(request));
}

function neededCpus({ cpus, companions }: PlacementRequest): number {
  return Math.max(cpus ?? 0, companions?.cpus ?? 0);
}

function tightestFirst(a: PlacementGuest, b: PlacementGuest): number {
  return freeMemory(a) - freeMemory(b) || byName(a, b);
}

/** Shorter first, so that web-2 comes before web-10. */
function byName(a: PlacementGuest, b: PlacementGuest): number {
  return a.name.length - b.name.length || (a.name < b.name ? -1 : 1);
}

function newShape(request: PlacementRequest, host: PlacementHost): { vcpus: number; memory: number } {
  const memory = memoryFor(neededMemory(request));
  if (request.shape !== undefined) {
    checkShape(request, request.shape, memory);
    return request.shape;
  }
  const { standard } = SHAPES;
  return {
    vcpus: Math.max(Math.min(standard.vcpus, host.cpus), neededVcpus(request)),
    memory: Math.max(standard.memory, Math.ceil(memory / MEMORY_STEP) * MEMORY_STEP),
  };
}

function checkShape(request: PlacementRequest, shape: Shape, memory: number): void {
  const lacks =
    shape.memory < memory
      ? `${mebibytesUp(memory)} of memory needed with kernel and agent, its guest's shape has ${mebibytes(shape.memory)}`
      : neededVcpus(request) > shape.vcpus
        ? `${neededCpus(request)} CPUs asked, its guest's shape has ${shape.vcpus}`
        : undefined;
  if (lacks === undefined) return;
  throw new NestError('no-room', `place a container in zone \`${request.zone}\`: ${lacks}`, {
    hint: 'Ask for a larger shape, or for less.',
  });
}

function checkHost(request: PlacementRequest, shape: { memory: number }, host: PlacementHost): void {
  const operation = `place a container in zone \`${request.zone}\``;
  if (neededVcpus(request) > host.cpus) {
    const message = `${operation}: ${neededCpus(request)} CPUs asked, the host has ${host.cpus}`;
    throw new NestError('no-room', message, { hint: `Ask for at most ${host.cpus} CPUs.` });
  }
  if (host.memoryAvailable - host.reserve >= shape.memory) return;
  const needed = `a new guest for ${mebibytesUp(neededMemory(request))} needs ${mebibytesUp(shape.memory)}`;
  const available = `the host has ${mebibytes(host.memoryAvailable)} and keeps ${mebibytesUp(host.reserve)} free`;
  throw new NestError('no-room', `${operation}: ${needed}, ${available}`, {
    hint: 'Ask for less memory, remove containers (`nest ps`, `nest rm`) or delete a guest (`nest vm list`, `nest vm delete`).',
  });
}

/** Guests that do not run keep their names too: a name is unique on the host. */
function lowestFreeName(zone: string, guests: readonly PlacementGuest[]): string {
  const taken = new Set(guests.map((guest) => guest.name));
  let n = 1;
  while (taken.has(`${zone}-${n}`)) n += 1;
  return `${zone}-${n}`;
}

function whyNew(request: PlacementRequest, live: PlacementGuest[], guests: readonly PlacementGuest[]): string {
  if (live.length === 0) {
    const known = guests.some((guest) => guest.zone === request.zone);
    return `zone ${request.zone} has none${known ? ' running' : ''}`;
  }
  const { shape } = request;
  if (shape !== undefined && !live.some((guest) => isShaped(request, guest)))
    return `no guest of its zone has ${shape.vcpus} × ${mebibytes(shape.memory)}`;
  if (request.guestImage !== undefined && !live.some((guest) => boots(request, guest)))
    return `no guest of its zone boots ${request.guestImage}`;
  const asked = neededMemory(request);
  const narrow = live.filter((guest) => freeMemory(guest) >= asked);
  if (narrow.length > 0) {
    const vcpus = Math.max(...narrow.map((guest) => guest.vcpus));
    return `${named(narrow)} ${vcpus} vCPUs, ${neededCpus(request)} CPUs asked`;
  }
  const free = Math.max(...live.map(freeMemory));
  return `${named(live)} ${mebibytes(free)} free, ${mebibytesUp(asked)} asked`;
}

function named(guests: PlacementGuest[]): string {
  const [first, second] = guests.toSorted(byName);
  if (first !== undefined && second === undefined) return `${first.name} has`;
  return `the ${guests.length} guests of its zone have at most`;
}

/** Rounded down: what is there. */
export function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MIB)} MiB`;
}

/** Rounded up: what is asked. */
export function mebibytesUp(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}

const MIB = 1024 * 1024;

/** States in which a guest takes containers. */
const LIVE = new Set<PlacementGuest['state']>(['starting', 'running']);

/** A container without a limit counts as this much, bytes. */
const UNLIMITED_COUNTS_AS = 32 * MIB;

/** Larger guests come in few sizes, so that guests of one size can share what is made per size. */
const MEMORY_STEP = 256 * MIB;

/** Bytes that guests leave to the host. */
export const HOST_RESERVE = 512 * MIB;
