import test from 'ava';
import { NestError } from '../../src/errors.ts';
import {
  countedMemory,
  HOST_RESERVE,
  place,
  type PlacementGuest,
  type PlacementHost,
  type PlacementRequest,
} from '../../src/placement/place.ts';

const MIB = 1024 * 1024;
const host: PlacementHost = { memoryAvailable: 8192 * MIB, cpus: 4, reserve: HOST_RESERVE };

function guest(name: string, freeMiB: number, more: Partial<PlacementGuest> = {}): PlacementGuest {
  const memory = 1024 * MIB;
  const zone = name.replace(/-\d+$/, '');
  const rest = { state: 'running', guestImage: 'debian-12', vcpus: 2, memory } as const;
  return { id: name, name, zone, ...rest, committed: (832 - freeMiB) * MIB, ...more };
}

const decisions: [title: string, request: PlacementRequest, guests: PlacementGuest[], reason: string][] = [
  ['the first container of a zone', { zone: 'db' }, [guest('web-1', 800)], 'new guest db-1: zone db has none'],
  [
    'room in a guest of the zone',
    { zone: 'web', memoryLimit: 512 * MIB },
    [guest('web-1', 812)],
    'joins guest web-1: same zone, 812 MiB free',
  ],
  [
    'a guest image that no guest of the zone boots',
    { zone: 'web', guestImage: 'debian' },
    [guest('web-1', 800)],
    'new guest web-2: no guest of its zone boots debian',
  ],
  [
    'a guest image that a guest of the zone boots',
    { zone: 'web', guestImage: 'debian' },
    [guest('web-1', 100), guest('web-2', 800, { guestImage: 'debian' })],
    'joins guest web-2: same zone, 800 MiB free',
  ],
  [
    'several guests with room: the tightest',
    { zone: 'web' },
    [guest('web-1', 800), guest('web-2', 40), guest('web-3', 30)],
    'joins guest web-2: same zone, 40 MiB free',
  ],
  [
    'a shape that no guest of the zone has',
    { zone: 'web', shape: { vcpus: 1, memory: 512 * MIB } },
    [guest('web-1', 800)],
    'new guest web-2: no guest of its zone has 1 × 512 MiB',
  ],
  [
    'a shape that a guest of the zone has',
    { zone: 'web', shape: { vcpus: 2, memory: 1024 * MIB } },
    [guest('web-1', 40, { memory: 2048 * MIB }), guest('web-2', 800)],
    'joins guest web-2: same zone, 800 MiB free',
  ],
  [
    'equal room: the lower number',
    { zone: 'web' },
    [guest('web-10', 40), guest('web-2', 40)],
    'joins guest web-2: same zone, 40 MiB free',
  ],
  [
    'exactly enough room',
    { zone: 'web', memoryLimit: 64 * MIB },
    [guest('web-1', 64)],
    'joins guest web-1: same zone, 64 MiB free',
  ],
  [
    'a byte too little room',
    { zone: 'web', memoryLimit: 64 * MIB + 1 },
    [guest('web-1', 64)],
    'new guest web-2: web-1 has 64 MiB free, 65 MiB asked',
  ],
  [
    'a full guest',
    { zone: 'web', memoryLimit: 512 * MIB },
    [guest('web-1', 30)],
    'new guest web-2: web-1 has 30 MiB free, 512 MiB asked',
  ],
  [
    'several full guests',
    { zone: 'web' },
    [guest('web-1', 3), guest('web-2', 10)],
    'new guest web-3: the 2 guests of its zone have at most 10 MiB free, 32 MiB asked',
  ],
  [
    'too few cores',
    { zone: 'web', cpus: 2.5 },
    [guest('web-1', 800)],
    'new guest web-2: web-1 has 2 vCPUs, 2.5 CPUs asked',
  ],
  [
    'a guest that has stopped: it keeps its name',
    { zone: 'web' },
    [guest('web-1', 800, { state: 'stopped' }), guest('web-3', 800, { state: 'unreachable' })],
    'new guest web-2: zone web has none running',
  ],
  [
    'a guest that is starting',
    { zone: 'web' },
    [guest('web-1', 832, { state: 'starting' })],
    'joins guest web-1: same zone, 832 MiB free',
  ],
];

for (const [title, request, guests, reason] of decisions) {
  test(`placement: ${title}`, (t) => {
    t.is(place(request, guests, host).reason, reason);
    t.is(place(request, guests.toReversed(), host).reason, reason);
  });
}

const shapes: [title: string, request: PlacementRequest, cpus: number, shape: { vcpus: number; memory: number }][] = [
  ['the standard shape', { zone: 'a' }, 4, { vcpus: 2, memory: 1024 * MIB }],
  ['one core on a host that has one', { zone: 'a' }, 1, { vcpus: 1, memory: 1024 * MIB }],
  ['more memory for a large container', { zone: 'a', memoryLimit: 2048 * MIB }, 4, { vcpus: 2, memory: 2304 * MIB }],
  ['more cores for a wide container', { zone: 'a', cpus: 2.5 }, 4, { vcpus: 3, memory: 1024 * MIB }],
];

for (const [title, request, cpus, shape] of shapes) {
  test(`a new guest has ${title}`, (t) => {
    const placement = place(request, [], { ...host, cpus });
    t.like(placement, { kind: 'new', shape });
  });
}

test('a host that would keep too little memory has no room', (t) => {
  const error = t.throws(
    () => place({ zone: 'web', memoryLimit: 256 * MIB }, [], { ...host, memoryAvailable: 1535 * MIB }),
    { instanceOf: NestError },
  );
  t.is(error.code, 'no-room');
  t.is(
    error.message,
    'place a container in zone `web`: a new guest for 256 MiB needs 1024 MiB, the host has 1535 MiB and keeps 512 MiB free',
  );
  t.truthy(error.hint);
  t.notThrows(() => place({ zone: 'web' }, [], { ...host, memoryAvailable: 1536 * MIB }));
});

test('a host with too few cores has no room', (t) => {
  const error = t.throws(() => place({ zone: 'web', cpus: 4.5 }, [], host), { instanceOf: NestError });
  t.is(error.code, 'no-room');
  t.is(error.message, 'place a container in zone `web`: 4.5 CPUs asked, the host has 4');
});

test('a full host still takes what fits a guest it has', (t) => {
  const full = { ...host, memoryAvailable: 0 };
  t.is(place({ zone: 'web' }, [guest('web-1', 100)], full).kind, 'existing');
});

test('whatever is asked in whatever order, zones stay apart and no guest is overcommitted', (t) => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomFrom(seed);
    const { guests, zonesIn, available } = fill(random);
    for (const [id, zones] of zonesIn)
      t.is(zones.size, 1, `seed ${seed}: guest ${id} holds ${[...zones].join(' and ')}`);
    for (const each of guests) t.true(each.committed + 192 * MIB <= each.memory, `seed ${seed}: ${each.name}`);
    t.is(new Set(guests.map((each) => each.name)).size, guests.length, `seed ${seed}: a name is taken twice`);
    t.true(available >= HOST_RESERVE, `seed ${seed}: the host's reserve is gone`);
  }
});

test('the order in which guests are listed decides nothing', (t) => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomFrom(seed);
    const { guests, available } = fill(random);
    const roomy = { ...host, memoryAvailable: Math.max(available, 4096 * MIB) };
    const request = randomRequest(random);
    const shuffled = guests
      .map((each) => ({ each, key: random(1000) }))
      .sort((a, b) => a.key - b.key)
      .map(({ each }) => each);
    t.deepEqual(place(request, shuffled, roomy), place(request, guests, roomy), `seed ${seed}`);
  }
});

/** Places random requests until the host has no room, as the engine would. */
function fill(random: (below: number) => number) {
  const guests: PlacementGuest[] = [];
  const zonesIn = new Map<string, Set<string>>();
  let available = 12_000 * MIB;
  for (let n = 0; n < 60; n += 1) {
    const request = randomRequest(random);
    try {
      const placement = place(request, guests, { ...host, memoryAvailable: available });
      let chosen: PlacementGuest;
      if (placement.kind === 'existing') chosen = placement.guest;
      else {
        const { name, shape } = placement;
        const state = random(2) === 0 ? 'running' : 'starting';
        chosen = { id: `g${n}`, name, zone: request.zone, state, guestImage: 'debian-12', ...shape, committed: 0 };
        guests.push(chosen);
        available -= shape.memory;
      }
      chosen.committed += countedMemory(request.memoryLimit);
      zonesIn.set(chosen.id, (zonesIn.get(chosen.id) ?? new Set()).add(request.zone));
    } catch (error) {
      if (!(error instanceof NestError && error.code === 'no-room')) throw error;
    }
    const lost = random(20) === 0 ? guests[random(guests.length)] : undefined;
    if (lost !== undefined) lost.state = 'stopped';
  }
  return { guests, zonesIn, available };
}

function randomRequest(random: (below: number) => number): PlacementRequest {
  return {
    zone: ['a', 'a-1', 'b', 'c'][random(4)] ?? 'a',
    memoryLimit: random(3) === 0 ? undefined : (6 + random(1500)) * MIB + random(MIB),
    cpus: random(3) === 0 ? (1 + random(400)) / 100 : undefined,
  };
}

/** A linear congruential generator (Numerical Recipes): a seed in a message repeats its run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('a new guest has the shape that was asked for, if its container fits', (t) => {
  const small = { vcpus: 1, memory: 512 * MIB };
  t.like(place({ zone: 'web', shape: small, memoryLimit: 320 * MIB }, [], host), { kind: 'new', shape: small });
  const tooLarge = { zone: 'web', shape: small, memoryLimit: 321 * MIB };
  t.throws(() => place(tooLarge, [], host), {
    code: 'no-room',
    message: /513 MiB of memory needed.* shape has 512 MiB/,
  });
  const tooMany = { zone: 'web', shape: small, cpus: 1.5 };
  t.throws(() => place(tooMany, [], host), { code: 'no-room', message: /1.5 CPUs asked, its guest's shape has 1/ });
});

test('what is said to be asked is what is asked for all that must be in one guest', (t) => {
  const companions = { memory: 64 * MIB, cpus: 8 };
  t.throws(() => place({ zone: 'web', companions }, [], host), { message: /8 CPUs asked, the host has 4$/ });
  const pin = { guest: 'web-1', volume: 'data', firm: true };
  const pinned = { zone: 'web', memoryLimit: 64 * MIB, companions: { memory: 64 * MIB, cpus: 1 }, pin };
  t.throws(() => place(pinned, [guest('web-1', 100)], host), { message: /100 MiB and 2 CPUs for 128 MiB and 1$/ });
});

test('a guest that has the volume and cannot take the container is told with the reason', (t) => {
  const pin = { guest: 'web-1', volume: 'data', firm: true };
  const refused = (request: Partial<PlacementRequest>, message: RegExp) =>
    t.throws(() => place({ zone: 'web', pin, ...request }, [guest('web-1', 100)], host), { message });
  refused({ guestImage: 'debian' }, /in use in guest `web-1`, which boots debian-12$/);
  refused({ shape: { vcpus: 1, memory: 512 * MIB } }, /which has another shape$/);
  refused({ memoryLimit: 512 * MIB }, /which has 100 MiB and 2 CPUs for 512 MiB and 0$/);
});
