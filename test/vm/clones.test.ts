import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { AgentInfo, ContainerState } from '../../guest-agent/api.ts';
import { framed, readAll } from '../guest-agent/client.ts';
import { findGuestImage, type BootFiles } from '../../src/guest-image/guest-image.ts';
import { openLibvirt } from '../../src/libvirt/libvirt.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import { openGuests, type GuestRecord, type Guests, type GuestsOptions } from '../../src/vm/guests.ts';
import { domainPrefix } from '../../src/vm/record.ts';
import { busyboxLayer, shellSpec } from '../helpers/agent-guest.ts';
import { testGuestImage } from '../helpers/guest-image.ts';
import { TEST_URI } from '../helpers/libvirt.ts';

/** More of both: test/slow/clones.test.ts. */
const CLONES = Number(process.env['NEST_TEST_CLONES'] ?? 4);
const ROUNDS = Number(process.env['NEST_TEST_ROUNDS'] ?? 3);
const SHAPE = { vcpus: 1, memory: 512 * 1024 ** 2 };
const MIB = 1024 ** 2;
/** Milliseconds. */
const LONGEST_ROUND = 300_000;
const CLOCK_TOLERANCE = 100;
const instance = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
const layer = { diffId: `sha256:${'c1'.repeat(32)}`, path: '' };
const logged: string[] = [];
let folder: string;
let paths: Paths;
let boot: BootFiles;
let guests: Guests;
let clones: GuestRecord[];
let templateHash: string;

test.before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nest-clones-'));
  await chmod(folder, 0o711);
  paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  layer.path = await busyboxLayer(folder);
  guests = await open();
  await guests.adopt();
});

test.after.always(async () => {
  for (const { id } of guests.list()) await guests.remove(id);
  await guests.close();
  await rm(folder, { recursive: true, force: true });
});

test.serial(
  'the first guest of a shape makes a template that nobody may write, and all are cloned from it',
  async (t) => {
    clones = [];
    for (let n = 0; n < CLONES; n++) clones.push(await create(`clone${n}`));
    const [digest, ...others] = await templates();
    t.deepEqual(others, []);
    for (const clone of clones) t.is(clone.template, digest ?? '');
    const { mode, uid } = await stat(memoryFile(digest));
    t.is(mode & 0o777, 0o444);
    t.is(uid, process.getuid?.() ?? 0);
    templateHash = await sha256(memoryFile(digest));
    t.deepEqual(logged, []);
  },
);

test.serial('clones differ in random bytes, boot id, machine id and name, and know the time', async (t) => {
  const random: string[] = [];
  for (const clone of clones) random.push(await output(clone, 'head -c 16 /dev/urandom | hexdump -e \'4/4 "%08x"\''));
  const all = {
    random,
    bootId: clones.map(({ bootId }) => bootId),
    machineId: clones.map(({ uuid }) => uuid),
    hostname: await Promise.all(clones.map(async (clone) => (await info(clone)).hostname)),
  };
  for (const [what, values] of Object.entries(all))
    t.is(new Set(values).size, clones.length, `${what}: ${values.join(' ')}`);
  t.deepEqual(
    all.hostname,
    clones.map(({ name }) => name),
  );
  for (const clone of clones) {
    const before = Date.now();
    const { createdAt } = await createContainer(clone, 'true');
    t.true(createdAt >= before - CLOCK_TOLERANCE, `${clone.name} is ${before - createdAt} ms late`);
    t.true(createdAt <= Date.now() + CLOCK_TOLERANCE, `${clone.name} is ${createdAt - Date.now()} ms early`);
  }
});

test.serial('clones share the memory that they have not written', async (t) => {
  for (const { id } of clones) {
    const { held, shared } = (await guests.hostUsage(id)) ?? { held: Infinity, shared: 0 };
    t.true(shared > 50 * MIB, `${Math.round(shared / MIB)} MiB shared`);
    t.true(held < SHAPE.memory / 2, `${Math.round(held / MIB)} MiB held`);
  }
});

test.serial('a guest that writes all its memory changes no other guest, nor the template', async (t) => {
  const [writer, other] = clones;
  if (!writer || !other) return t.fail();
  const before = await info(other);
  // Its disk is written through its memory, which keeps what it has room for.
  await output(writer, 'dd if=/dev/zero of=/full bs=1M count=420 2>&1');
  t.true(((await guests.hostUsage(writer.id))?.held ?? 0) > 0.6 * SHAPE.memory);
  t.like(await info(other), { bootId: before.bootId, pid: before.pid });
  t.is(await output(other, 'echo fine'), 'fine\n');
  const [digest] = await templates();
  t.is(await sha256(memoryFile(digest)), templateHash);
});

test.serial(`${ROUNDS} rounds of create, run and delete leave nothing`, async (t) => {
  const state = async () => ({
    descriptors: (await readdir('/proc/self/fd')).length,
    guests: await readdir(paths.guests),
    sockets: await readdir(paths.runtime),
    domains: await domains(),
    templates: await readdir(paths.templates),
  });
  // Bytes that are still used after all that is not was collected.
  const memory = () => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    return process.memoryUsage().heapUsed + process.memoryUsage().external;
  };
  const round = async () => {
    const guest = await create('round');
    t.is(await output(guest, 'echo done'), 'done\n');
    await guests.remove(guest.id);
  };
  await round();
  const before = await state();
  const used = memory();
  for (let n = 0; n < ROUNDS; n++) {
    t.timeout(LONGEST_ROUND, 'a round of create, run and delete');
    await round();
  }
  t.deepEqual(await state(), before);
  const more = memory() - used;
  t.true(more < 4 * MIB + ROUNDS * 16 * 1024, `${Math.round(more / 1024)} KiB more than before`);
});

test.serial('a clone from the pool is a guest like any other, and what waits there ends with the engine', async (t) => {
  const pooling = await open({ pool: 1, instance: 'a'.repeat(32) });
  const make = (name: string) =>
    pooling.create({ zone: name, name: `${name}-1`, shape: SHAPE, accelerator: 'tcg' }, silent);
  const first = await make('first');
  await pooling.poolFilled();
  t.is((await domains('a'.repeat(32))).length, 2);
  t.deepEqual(pooling.list(), [first], 'what waits is no guest');
  const second = await make('second');
  t.is((await pooling.trunk(second.id).request({ method: 'GET', path: '/v1/info' }, AgentInfo)).hostname, 'second-1');
  t.not(second.bootId, first.bootId);
  for (const { id } of [first, second]) await pooling.remove(id);
  await pooling.close();
  t.deepEqual(await domains('a'.repeat(32)), []);
});

test.serial('a template that was changed is made anew', async (t) => {
  const [digest = ''] = await templates();
  const file = path.join(paths.templates, digest, 'devices');
  await chmod(file, 0o644);
  await truncate(file, 1000);
  const guest = await create('again');
  t.is(guest.template, digest);
  t.regex(logged.join(), /is broken, it is made anew: .*was changed after it was captured/);
  await guests.remove(guest.id);
});

test.serial('a guest that cannot be cloned is booted, and the log says so', async (t) => {
  const [digest = ''] = await templates();
  const devices = path.join(paths.templates, digest, 'devices');
  const record = path.join(paths.templates, digest, 'template.json');
  await chmod(devices, 0o644);
  const nonsense = Buffer.alloc(4096, 1);
  await writeFile(devices, nonsense);
  const told = JSON.parse(await readFile(record, 'utf8')) as Record<string, unknown>;
  await writeFile(record, JSON.stringify({ ...told, devices: createHash('sha256').update(nonsense).digest('hex') }));
  const guest = await create('booted');
  t.is(guest.template, null);
  t.is(await output(guest, 'echo booted'), 'booted\n');
  t.regex(logged.join(), /the guest is booted instead/);
  t.deepEqual(await templates(), []);
});

function open(options: Partial<GuestsOptions> = {}): Promise<Guests> {
  return openGuests({
    paths,
    uri: TEST_URI,
    instance,
    bootFiles: () => Promise.resolve(boot),
    bootSeconds: 240,
    log: (line) => logged.push(line),
    ...options,
  });
}

function create(zone: string): Promise<GuestRecord> {
  return guests.create({ zone, name: `${zone}-1`, shape: SHAPE, accelerator: 'tcg' }, silent);
}

async function createContainer({ id }: GuestRecord, command: string): Promise<ContainerState> {
  await guests.attachLayer(id, layer);
  const body = shellSpec(layer.diffId, command);
  return guests.trunk(id).request({ method: 'POST', path: '/v1/containers', body }, ContainerState);
}

/** What a command prints in a container of its own. */
async function output(guest: GuestRecord, command: string): Promise<string> {
  const trunk = guests.trunk(guest.id);
  const { id } = await createContainer(guest, command);
  await trunk.request({ method: 'POST', path: `/v1/containers/${id}/start` }, ContainerState);
  await trunk.request({ method: 'POST', path: `/v1/containers/${id}/wait` }, ContainerState);
  return framed(await readAll(await trunk.read({ method: 'GET', path: `/v1/containers/${id}/logs?stdout=1` })), 1);
}

function info({ id }: GuestRecord): Promise<AgentInfo> {
  return guests.trunk(id).request({ method: 'GET', path: '/v1/info' }, AgentInfo);
}

async function templates(): Promise<string[]> {
  return readdir(paths.templates);
}

function memoryFile(digest = ''): string {
  return path.join(paths.templates, digest, 'memory');
}

async function domains(of = instance): Promise<string[]> {
  const libvirt = await openLibvirt(TEST_URI);
  const names = (await libvirt.list()).map(({ name }) => name).filter((name) => name.startsWith(domainPrefix(of)));
  await libvirt.close();
  return names.sort();
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
