import test from 'ava';
import * as v from 'valibot';
import {
  AgentInfo,
  ContainerProcesses,
  ContainerRecord,
  ContainerState,
  ContainerStats,
  HealthReport,
} from '../../guest-agent/api.ts';
import { type AgentGuest, openAgentGuest } from '../helpers/agent-guest.ts';

let guest: AgentGuest;

test.before(async () => {
  guest = await openAgentGuest('limits');
});

test.after.always(() => guest.close());

const SPIN = 'while :; do :; done';

const stats = (id: string) =>
  guest.trunk.request({ method: 'GET', path: `/v1/containers/${id}/stats` }, ContainerStats);
const remove = (id: string) => guest.trunk.send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` });
const turn = (id: string, verb: 'pause' | 'resume') =>
  guest.trunk.request({ method: 'POST', path: `/v1/containers/${id}/${verb}` }, ContainerState);

/** Files of the container's cgroup, as it sees them itself. */
async function files(id: string, ...names: string[]): Promise<string[]> {
  const { out } = await guest.exec(id, ['cat', ...names.map((name) => `/sys/fs/cgroup/${name}`)]);
  return out.trim().split('\n');
}

test.serial('half a core is half a core, over 5 s, within 5 %', async (t) => {
  const spec = guest.shell(`(${SPIN}) & ${SPIN}`, { limits: { cpu: { quota: 50_000, period: 100_000 } } });
  await guest.start(spec);
  // cpu.stat against the guest's clock, read together.
  const measure = async () => {
    const before = await stats(spec.id);
    const after = await until(spec.id, (reading) => (reading.readAt - before.readAt >= 5000 ? reading : undefined));
    const seconds = (after.readAt - before.readAt) / 1000;
    const share = (after.cpu.usage - before.cpu.usage) / 1e6 / seconds;
    t.log(`${share.toFixed(4)} of a core over ${seconds.toFixed(2)} s`);
    return share;
  };
  // A busy host takes processors away from the guest for a while, and its containers miss their share: measured again.
  const isHalf = (share: number) => Math.abs(share - 0.5) <= 0.025;
  let share = await measure();
  for (let attempt = 1; attempt < 6 && !isHalf(share); attempt += 1) share = await measure();
  t.true(isHalf(share), `used ${share} of a core`);
  await remove(spec.id);
});

test.serial('every limit stands in the file of its controller', async (t) => {
  const spec = guest.shell('exec sleep 1000', {
    limits: {
      memory: { limit: 64 << 20, reservation: 16 << 20, swap: 96 << 20 },
      cpu: { quota: 150_000, period: 50_000, burst: 1000, shares: 2048, cpus: '1', mems: '0' },
      pids: { limit: 17 },
      blockIO: { weight: 505 },
      hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
      unified: { 'memory.high': String(48 << 20) },
    },
  });
  await guest.start(spec);
  const names = `memory.max memory.low memory.swap.max memory.oom.group memory.high cpu.max cpu.max.burst cpu.weight
    cpuset.cpus.effective cpuset.mems.effective pids.max io.weight hugetlb.2MB.max`.split(/\s+/);
  t.deepEqual(await files(spec.id, ...names), [
    '67108864',
    '16777216',
    '33554432',
    '1',
    '50331648',
    '150000 50000',
    '1000',
    '79',
    '1',
    '0',
    '17',
    'default 5000',
    '4194304',
  ]);
  await remove(spec.id);
});

test.serial('no more is written in a second than io.max lets through', async (t) => {
  const write = 'dd if=/dev/zero of=/file bs=64k count=48 conv=fsync 2>/dev/null';
  const free = guest.shell(`${write}; exec sleep 1000`);
  await guest.start(free);
  const disk = await until(free.id, ({ io }) => io.find(({ writtenBytes }) => writtenBytes >= 3 << 20));
  const { major, minor } = disk;
  const slow = guest.shell(`cat /proc/uptime; ${write}; cat /proc/uptime`, {
    limits: { blockIO: { throttleWriteBpsDevice: [{ major, minor, rate: 1 << 20 }] } },
  });
  await guest.run(slow);
  const [begin = 0, end = 0] = (await guest.logs(slow.id)).split('\n').map(Number.parseFloat);
  t.true(end - begin >= 2, `3 MiB at 1 MiB each second took ${end - begin} s`);
  await remove(free.id);
});

test.serial('a value that the kernel does not take is told by its file, and nothing runs', async (t) => {
  const spec = guest.shell('true', { limits: { cpu: { cpus: '40-41' } } });
  await t.throwsAsync(guest.start(spec), { message: /write `40-41` to `cpuset\.cpus`: E[A-Z]+/ });
});

test.serial('limits of a running container change at once and hold for its next start', async (t) => {
  const spec = guest.shell('exec sleep 1000', { limits: { pids: { limit: 10 } } });
  await guest.start(spec);
  const path = `/v1/containers/${spec.id}`;
  const update = (body: object) =>
    guest.trunk.request({ method: 'POST', path: `${path}/update`, body }, ContainerRecord);
  await update({ limits: { pids: { limit: -1 }, memory: { limit: 32 << 20 }, cpu: { shares: 4096 } } });
  t.deepEqual(await files(spec.id, 'pids.max', 'memory.max', 'cpu.weight'), ['max', '33554432', '157']);
  const before = await files(spec.id, ...LIMIT_FILES);
  const refused = {
    memory: { limit: 16 << 20, reservation: 1 << 20 },
    cpu: { shares: 100, quota: 20_000, burst: 1000, cpus: '63' },
  };
  await t.throwsAsync(update({ limits: refused }), {
    message: /update container .*write `63` to `cpuset\.cpus`: E/,
  });
  t.deepEqual(await files(spec.id, ...LIMIT_FILES), before, 'a refused change leaves what was, and what was not');
  await guest.trunk.request({ method: 'POST', path: `${path}/stop?seconds=0` }, ContainerState);
  await guest.trunk.request({ method: 'POST', path: `${path}/start` }, ContainerState);
  t.deepEqual(await files(spec.id, 'pids.max', 'memory.max'), ['max', '33554432']);
  await remove(spec.id);
});

const LIMIT_FILES =
  `memory.max memory.low memory.swap.max memory.oom.group cpu.max cpu.max.burst cpu.weight pids.max`.split(' ');

test.serial('a fork bomb meets pids.max and can be killed', async (t) => {
  const spec = guest.shell('bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done', {
    limits: { pids: { limit: 20 } },
  });
  await guest.start(spec);
  const { pids } = await until(spec.id, (reading) => (reading.pids.current >= 15 ? reading : undefined));
  t.true(pids.current <= 20 && pids.limit === 20, JSON.stringify(pids));
  await remove(spec.id);
});

test.serial(
  'a paused container uses no processor time, is not joined, and goes on after a restart of the agent',
  async (t) => {
    const spec = guest.shell(`trap 'exit 9' TERM; (${SPIN}) & wait`);
    await guest.start(spec);
    t.like(await turn(spec.id, 'pause'), { status: 'running', paused: true });
    const before = await stats(spec.id);
    await t.throwsAsync(guest.exec(spec.id, ['true']), { message: /is paused/ });
    await guest.restartAgent();
    const record = await guest.trunk.request({ method: 'GET', path: `/v1/containers/${spec.id}` }, ContainerRecord);
    t.true(record.state.paused, 'the new agent finds it paused');
    const after = await stats(spec.id);
    t.true(after.guest.time - before.guest.time > 500_000, 'time went by');
    t.is(after.cpu.usage, before.cpu.usage);
    t.like(await turn(spec.id, 'resume'), { status: 'running', paused: false });
    const path = `/v1/containers/${spec.id}/stop`;
    await turn(spec.id, 'pause');
    t.like(await guest.trunk.request({ method: 'POST', path }, ContainerState), { status: 'exited', exitCode: 9 });
  },
);

test.serial('stats are what the kernel counts, in one call', async (t) => {
  const spec = guest.shell(`dd if=/dev/zero of=/file bs=1M count=8 2>/dev/null; sync; (${SPIN}) & echo ready; wait`, {
    limits: { memory: { limit: 64 << 20 }, cpu: { quota: 20_000 }, pids: { limit: 30 } },
  });
  await guest.start(spec);
  // The kernel sums up pressure every two seconds.
  const now = await until(spec.id, ({ cpu, io, pids, pressure, ...rest }) =>
    cpu.throttled > 0 &&
    pids.current >= 2 &&
    pressure.cpu.some.total > 0 &&
    io.some(({ writtenBytes }) => writtenBytes >= 8 << 20)
      ? { cpu, io, pids, pressure, ...rest }
      : undefined,
  );
  t.log(now.cpu, now.io, now.pressure.cpu, now.pids);
  t.true(now.cpu.usage > 0 && now.cpu.throttled > 0 && now.cpu.throttledPeriods > 0);
  t.true(now.memory.usage > 4 << 20 && now.memory.limit === 64 << 20 && now.memory.peak >= now.memory.usage);
  t.is(now.memory.events['oom_kill'], 0);
  t.true(now.io.some(({ writes }) => writes > 0));
  t.is(now.pids.limit, 30);
  t.is(now.guest.processors, 2);
  const processes = await guest.trunk.request(
    { method: 'GET', path: `/v1/containers/${spec.id}/processes` },
    v.pipe(ContainerProcesses),
  );
  t.true(processes.some(({ command }) => command.startsWith('sh -c dd if=/dev/zero')));
  t.is(new Set(processes.map(({ pid }) => pid)).size, processes.length);
  await remove(spec.id);
});

test.serial(
  'a health check that hangs ends with all that it started; the container goes on, and is restarted when ill',
  async (t) => {
    const spec = guest.shell('trap "exit 0" TERM; while :; do sleep 1; done', {
      stopSeconds: 20,
      health: {
        argv: ['sh', '-c', 'echo checking; test -e /well || (trap "" TERM; sleep 1000 & sleep 1000)'],
        ...{ interval: 50, timeout: 400, retries: 2, startPeriod: 0, startInterval: 50 },
      },
    });
    await guest.start(spec);
    const path = `/v1/containers/${spec.id}`;
    const record = () => guest.trunk.request({ method: 'GET', path }, ContainerRecord);
    const health = () => guest.trunk.request({ method: 'GET', path: `${path}/health` }, HealthReport);
    let report = await health();
    while (report.log.length === 0) report = await health();
    t.like(report.log[0], { exitCode: -1, output: 'Health check exceeded timeout (0.4s): checking\n' });
    let { state } = await record();
    while (state.restarts === 0) ({ state } = await record());
    await guest.exec(spec.id, ['touch', '/well']);
    while (state.health !== 'healthy') ({ state } = await record());
    const processes = await guest.trunk.request({ method: 'GET', path: `${path}/processes` }, ContainerProcesses);
    t.false(
      processes.some(({ command }) => command === 'sleep 1000'),
      'nothing of a probe is left',
    );
    await remove(spec.id);
  },
);

test.serial('each process of a container has the OOM score of a program, or the one that is asked for', async (t) => {
  const spec = guest.shell('cat /proc/self/oom_score_adj; exec sleep 1000');
  const named = guest.shell('cat /proc/self/oom_score_adj', { oomScoreAdj: 300 });
  await guest.start(spec);
  await guest.run(named);
  const { out } = await guest.exec(spec.id, ['cat', '/proc/self/oom_score_adj']);
  t.deepEqual([await guest.logs(spec.id), await guest.logs(named.id), out], ['0\n', '300\n', '0\n']);
  for (const { id } of [spec, named]) await remove(id);
});

test.serial("where the guest's memory ends it is a container that does, not the larger agent or zygote", async (t) => {
  const other = guest.shell('exec sleep 1000');
  await guest.start(other);
  const info = () => guest.trunk.request({ method: 'GET', path: '/v1/info' }, AgentInfo);
  const { pid } = await info();
  // More than the guest has, in processes that are each smaller than the agent. A limit ends the container as a whole.
  const greedy = guest.shell(`for n in $(seq 80); do dd if=/dev/zero bs=12M 2>/dev/null | sleep 1000 & done; wait`, {
    limits: { memory: { limit: 4 * 1024 ** 3 } },
  });
  await guest.start(greedy);
  const ended = await guest.trunk.request({ method: 'POST', path: `/v1/containers/${greedy.id}/wait` }, ContainerState);
  t.like(ended, { exitCode: 137, oomKilled: true });
  t.is((await info()).pid, pid, 'the same agent');
  const { state } = await guest.trunk.request({ method: 'GET', path: `/v1/containers/${other.id}` }, ContainerRecord);
  t.is(state.status, 'running', 'with the zygote it would have ended');
  for (const { id } of [other, greedy]) await remove(id);
});

test.serial(
  'a container that fills a tmpfs without a limit ends, with its files; agent, guest and a smaller neighbour go on',
  async (t) => {
    const other = guest.shell('exec sleep 1000');
    await guest.start(other);
    const info = () => guest.trunk.request({ method: 'GET', path: '/v1/info' }, AgentInfo);
    const before = await info();
    // More than the guest has, in files: the end of their writer alone, which its shell outlives, would free nothing.
    const tmpfs = [{ destination: '/full', options: ['size=2g'] }];
    const full = () => guest.shell('dd if=/dev/zero of=/full/file bs=1M; exec sleep 1000', { tmpfs });
    for (const spec of [full(), full()]) {
      t.like(await guest.run(spec), { exitCode: 137, oomKilled: true });
      await remove(spec.id);
    }
    t.like(await info(), { pid: before.pid, bootId: before.bootId });
    const { state } = await guest.trunk.request({ method: 'GET', path: `/v1/containers/${other.id}` }, ContainerRecord);
    t.is(state.status, 'running');
    await remove(other.id);
  },
);

/** Reads until there is what is looked for; each reading takes the guest some milliseconds. */
async function until<T>(id: string, find: (reading: ContainerStats) => T | undefined): Promise<T> {
  for (;;) {
    const found = find(await stats(id));
    if (found !== undefined) return found;
  }
}
