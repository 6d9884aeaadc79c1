import { execFile } from 'node:child_process';
import { once, EventEmitter } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import * as v from 'valibot';
import { findGuestImage, type BootFiles } from '../../src/guest-image/guest-image.ts';
import { pluggedDisks } from '../../src/libvirt/description.ts';
import { openLibvirt } from '../../src/libvirt/libvirt.ts';
import { readMetadata, writeMetadata } from '../../src/libvirt/metadata.ts';
import { guestPaths, nestPaths, type Paths } from '../../src/paths.ts';
import { progressTo, silent, type ProgressEvent } from '../../src/progress.ts';
import { openGuests, type GuestRecord, type Guests, type GuestsOptions } from '../../src/vm/guests.ts';
import { ownCgroups } from '../../src/vm/process-limits.ts';
import { domainName, StoredGuest } from '../../src/vm/record.ts';
import { testGuestImage } from '../helpers/guest-image.ts';
import { qemuPid, TEST_URI } from '../helpers/libvirt.ts';

const UID = process.getuid?.() ?? 0;
const REQUEST = { zone: 'web', shape: { vcpus: 1, memory: 512 * 1024 ** 2 }, accelerator: 'tcg' } as const;
const instance = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
const layer = { diffId: `sha256:${'5e'.repeat(32)}`, path: '' };
let folder: string;
let paths: Paths;
let boot: BootFiles;
let guests: Guests;
const logged: string[] = [];
let first: GuestRecord;
let second: GuestRecord;

test.before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nest-guests-'));
  await chmod(folder, 0o711);
  paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  layer.path = await squashfs('layer', { 'etc/motd': 'from a layer\n' });
  guests = await open();
  await guests.adopt();
});

test.after.always(async () => {
  for (const { id } of guests.list()) await guests.remove(id);
  await guests.close();
  await rm(folder, { recursive: true, force: true });
});

test.serial('guests boot until their agents answer, side by side from one root image', async (t) => {
  const events: ProgressEvent[] = [];
  [first, second] = await Promise.all([
    guests.create(
      { ...REQUEST, name: 'web-1' },
      progressTo((event) => events.push(event)),
    ),
    guests.create({ ...REQUEST, name: 'web-2' }, silent),
  ]);
  t.like(first, { state: 'running', name: 'web-1', zone: 'web', accelerator: 'tcg', image: boot.digest });
  t.regex(first.kernel ?? '', /^\d+\.\d+/);
  t.not(first.bootId, second.bootId);
  t.deepEqual(guests.get(first.id), first);
  t.true(events.some((event) => event.type === 'step' && event.title.includes('agent') && event.state === 'done'));
  t.true(events.some((event) => event.type === 'warning' && /no security boundary/.test(event.message)));
});

test.serial('a guest has the name and the console that were asked for', async (t) => {
  const info = v.object({ hostname: v.string() });
  t.is((await guests.trunk(first.id).request({ method: 'GET', path: '/v1/info' }, info)).hostname, 'web-1');
  t.true((await stat(guestPaths(paths, first.id).console)).isFile());
});

test.serial('what guests share is changed by nobody, and the trunk is for the engine only', async (t) => {
  for (const file of [boot.kernel, boot.initrd, boot.root, boot.agent])
    t.like(await stat(file), { uid: UID, mode: 0o100444 }, file);
  const trunk = await stat(guestPaths(paths, first.id).trunk);
  t.is(trunk.uid, UID);
  t.is(trunk.mode & 0o002, 0);
});

test.serial('its QEMU is held to what it was promised, where its cgroup is its own', async (t) => {
  const pid = await qemuPid(first.domain);
  const own = ownCgroups(await readFile(`/proc/${pid}/cgroup`, 'utf8'), first.domain);
  const { memory, cpus } = await guests.processLimits(first.id);
  // Root may write there; a user's session has none.
  t.is(memory !== null, own.memory !== undefined && UID === 0);
  t.is(cpus, own.cpu !== undefined && UID === 0 ? first.shape.vcpus + 1 : null);
  if (memory !== null) t.true(memory > first.shape.memory && memory < first.shape.memory + 2 * 1024 ** 3);
});

test.serial('nobody logs in to a guest that has no sshd', async (t) => {
  await t.throwsAsync(guests.sshAccess(first.id), {
    code: 'unsupported',
    message: /nest's own image, which has no sshd/,
  });
});

test.serial('monitor commands reach the QEMU of a guest', async (t) => {
  const libvirt = await openLibvirt(TEST_URI);
  t.teardown(() => libvirt.close());
  const reply = await libvirt.monitorCommand(domainName(instance, first.id), '{"execute":"query-status"}');
  t.like(JSON.parse(reply), { return: { status: 'running' } });
});

test.serial('a layer is attached once, however often and by however many it is asked for', async (t) => {
  await Promise.all([guests.attachLayer(first.id, layer), guests.attachLayer(first.id, layer)]);
  await guests.attachLayer(first.id, layer);
  await guests.attachLayer(second.id, layer);
  for (const { id } of [first, second])
    t.deepEqual(await guests.trunk(id).request({ method: 'GET', path: '/v1/layers' }, v.array(v.string())), [
      layer.diffId,
    ]);
  t.like(await stat(layer.path), { uid: UID, mode: 0o100444 });
});

test.serial('many layers can be attached at once', async (t) => {
  const diffIds = Array.from({ length: 100 }, (_, index) =>
    `sha256:${index.toString(16).padStart(64, 'a')}`.replace(/^(sha256:)(.*)(..)$/, '$1$3$2'),
  );
  await Promise.all(diffIds.map((diffId) => guests.attachLayer(first.id, { ...layer, diffId })));
  const mounted = await guests.trunk(first.id).request({ method: 'GET', path: '/v1/layers' }, v.array(v.string()));
  t.is(mounted.length, 101);
});

test.serial('layers that nobody wants leave the guest, and one that is wanted again comes back', async (t) => {
  const libvirt = await openLibvirt(TEST_URI);
  t.teardown(() => libvirt.close());
  const mounted = () => guests.trunk(first.id).request({ method: 'GET', path: '/v1/layers' }, v.array(v.string()));
  const disks = async () => pluggedDisks(await libvirt.describe(domainName(instance, first.id)));
  const before = await mounted();
  await guests.detachLayers(first.id, () => 'all');
  t.deepEqual(await mounted(), before);
  await guests.detachLayers(first.id, () => [layer.diffId]);
  t.deepEqual(await mounted(), [layer.diffId]);
  t.is((await disks()).length, 1);
  // Wanted again while it goes: it is there when both have ended.
  const again = { ...layer, diffId: before.at(-1) ?? '' };
  const gone = guests.detachLayers(first.id, () => [again.diffId]);
  await Promise.all([gone, guests.attachLayer(first.id, again), guests.attachLayer(first.id, again)]);
  t.deepEqual(await mounted(), [again.diffId]);
  t.is((await disks()).length, 1);
});

test.serial('an engine that lost everything finds its guests again, and no others', async (t) => {
  const again = await open();
  const other = await open({ instance: instance.slice(0, 8) + 'f'.repeat(24) });
  t.teardown(async () => {
    await again.close();
    await other.close();
  });
  // The port has one host end, as after a crash.
  await guests.close();
  const running = changes(again, ({ state }) => state === 'running', 2);
  await again.adopt();
  await other.adopt();
  await running;
  t.deepEqual(byName(again.list()), byName([first, second]));
  t.deepEqual(other.list(), []);
  await again.attachLayer(first.id, layer);
  await again.close();

  guests = await open();
  const back = changes(guests, ({ state }) => state === 'running', 2);
  await guests.adopt();
  await back;
});

test.serial('a guest whose QEMU was killed is stopped', async (t) => {
  const stopped = changes(guests, ({ id, state }) => id === second.id && state === 'stopped');
  process.kill(await qemuPid(domainName(instance, second.id)), 'SIGKILL');
  await stopped;
  t.is(guests.get(second.id)?.state, 'stopped');
  await t.throwsAsync(guests.trunk(second.id).send({ method: 'GET', path: '/v1/info' }), { code: 'guest-lost' });
});

test.serial('a removed guest leaves nothing, and removing it again succeeds', async (t) => {
  await guests.remove(second.id);
  await guests.remove(second.id);
  t.is(guests.get(second.id), undefined);
  await nothingLeftOf(t, [first.id]);
});

test.serial('a guest that cannot start shows its console and leaves nothing', async (t) => {
  const broken = path.join(folder, 'broken.squashfs');
  await writeFile(broken, Buffer.alloc(4096), { mode: 0o444 });
  const error = await failedBoot(t, { bootFiles: () => Promise.resolve({ ...boot, agent: broken }) });
  t.like(error, { code: 'boot-failed' });
  t.regex(error.message, /^boot guest `web-3`: .*ended before the agent answered$/);
  t.regex(error.hint ?? '', /the guest cannot start: mount of the agent's disk/);
});

test.serial('a boot that takes too long is given up and leaves nothing', async (t) => {
  t.regex(
    (await failedBoot(t, { bootSeconds: 1 })).message,
    /^boot guest `web-3`: its agent did not answer within 1 s$/,
  );
});

test.serial('a boot that is cancelled leaves nothing', async (t) => {
  const abort = new AbortController();
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.title.startsWith('Wait')) abort.abort();
  });
  await t.throwsAsync(guests.create({ ...REQUEST, name: 'web-3' }, progress, abort.signal), { code: 'cancelled' });
  await nothingLeftOf(t, [first.id]);
});

test.serial('what an engine left half-made when it was killed is removed', async (t) => {
  await guests.close();
  const libvirt = await openLibvirt(TEST_URI);
  const domain = domainName(instance, first.id);
  const stored = v.parse(StoredGuest, await readMetadata(libvirt, domain));
  await writeMetadata(libvirt, domain, { ...stored, guest: { ...stored.guest, state: 'starting' } });
  await libvirt.close();
  await mkdir(path.join(paths.guests, '0123456789ab'));

  guests = await open();
  await guests.adopt();
  t.deepEqual(guests.list(), []);
  await nothingLeftOf(t, []);
});

function open(options: Partial<GuestsOptions> = {}) {
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

/** Boots a guest in an engine with these options, beside the shared one; the boot must fail and leave nothing. */
async function failedBoot(t: Parameters<typeof nothingLeftOf>[0], options: Parameters<typeof open>[0]) {
  const failing = await open({ templates: false, ...options, instance: 'f'.repeat(32) });
  try {
    await failing.create({ ...REQUEST, name: 'web-3' }, silent);
  } catch (error) {
    t.deepEqual(failing.list(), []);
    await nothingLeftOf(t, [first.id]);
    return error as Error & { hint?: string };
  } finally {
    await failing.close();
  }
  throw new Error('the guest booted');
}

async function nothingLeftOf(t: { deepEqual(actual: unknown, expected: unknown): unknown }, expected: string[]) {
  t.deepEqual(await readdir(paths.guests), expected);
  t.deepEqual(
    await readdir(paths.runtime),
    expected.map((id) => `${id}.trunk`),
  );
  const libvirt = await openLibvirt(TEST_URI);
  const ours = new RegExp(`^nest-(${instance.slice(0, 8)}|f{8})-`);
  const domains = (await libvirt.list()).map(({ name }) => name).filter((name) => ours.test(name));
  await libvirt.close();
  t.deepEqual(
    domains,
    expected.map((id) => domainName(instance, id)),
  );
}

function byName(records: GuestRecord[]): GuestRecord[] {
  return records.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Resolves when so many changes to matching records were told. */
async function changes(of: Guests, matches: (record: GuestRecord) => boolean, count = 1): Promise<void> {
  const told = new EventEmitter();
  let left = count;
  of.onChange((record) => {
    if (matches(record) && --left === 0) told.emit('enough');
  });
  await once(told, 'enough');
}

async function squashfs(name: string, files: Record<string, string>): Promise<string> {
  const tree = path.join(folder, `${name}.tree`);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(tree, file)), { recursive: true });
    await writeFile(path.join(tree, file), text);
  }
  const target = path.join(folder, `${name}.squashfs`);
  await promisify(execFile)('mksquashfs', [tree, target, '-quiet', '-no-progress']);
  await chmod(target, 0o444);
  return target;
}
