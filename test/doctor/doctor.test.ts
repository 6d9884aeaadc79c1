import test from 'ava';
import { examine, type Finding } from '../../src/doctor/examine.ts';
import { mend } from '../../src/doctor/mend.ts';
import type { Probes } from '../../src/doctor/probes.ts';
import { formatReport } from '../../src/doctor/report.ts';
import { fakeProbes, stats } from './fake-probes.ts';

/** The host that the other tests change in one point. */
const sound: Partial<Probes> = {
  stat: (file) => Promise.resolve(file === '/dev/kvm' ? stats(0o660) : stats(0o755)),
};

async function finding(id: string, changes: Partial<Probes>): Promise<Finding> {
  const found = (await examine(fakeProbes({ ...sound, ...changes }))).find(({ check }) => check.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
}

const no = () => Promise.resolve(false);

test('a sound host passes every check', async (t) => {
  const findings = await examine(fakeProbes(sound));
  t.deepEqual(new Set(findings.map(({ status }) => status)), new Set(['ok']));
});

test('an old Node fails', async (t) => {
  t.is((await finding('node', { nodeVersion: '20.20.2' })).status, 'failed');
});

test('a host that cannot hold QEMU to its promise is no failure', async (t) => {
  const stat = (file: string) => Promise.resolve(file.endsWith('/memory') ? undefined : stats(0o755));
  t.like(await finding('limits', { stat }), { status: 'note', detail: 'no cgroup controller for memory' });
  t.like(await finding('limits', { libvirtUri: 'qemu:///session' }), { status: 'note' });
});

test('missing programs are named with the packages that have them', async (t) => {
  const findProgram = (name: string) => Promise.resolve(/sq|skopeo/.test(name) ? undefined : name);
  const found = await finding('programs', { findProgram });
  t.like(found, {
    status: 'failed',
    detail: 'missing: mksquashfs, sqfstar, skopeo',
    hint: 'apt-get install squashfs-tools skopeo',
  });
  t.is(found.mend, undefined, 'the doctor never installs packages');
});

test('libvirt’s own words are shown', async (t) => {
  const connectLibvirt = () => Promise.reject(new Error('connect to `qemu:///system`: Failed to connect socket'));
  t.like(await finding('libvirt', { connectLibvirt, hasInitSystem: () => Promise.resolve(true) }), {
    status: 'failed',
    detail: 'connect to `qemu:///system`: Failed to connect socket',
    hint: 'systemctl start libvirtd',
  });
});

test('root without an init system gets the daemons started, virtlogd before libvirtd', async (t) => {
  const ran: string[] = [];
  const probes = fakeProbes({
    ...sound,
    isRunning: no,
    connectLibvirt: () => Promise.reject(new Error('no libvirtd')),
    run: (command, args) => {
      ran.push([command, ...args].join(' '));
      return Promise.resolve();
    },
  });
  t.deepEqual(await mend(await examine(probes)), [
    { id: 'virtlogd', command: 'virtlogd -d', error: null },
    { id: 'libvirt', command: 'libvirtd -d', error: null },
  ]);
  t.deepEqual(ran, ['/usr/bin/virtlogd -d', '/usr/bin/libvirtd -d']);
});

test('an ordinary user is told what to do, and nothing is tried', async (t) => {
  const found = await finding('virtlogd', { isRunning: no, uid: 1000 });
  t.is(found.hint, 'virtlogd -d');
  t.is(found.mend, undefined);
});

test('a session needs no virtlogd of ours', async (t) => {
  t.is((await finding('virtlogd', { isRunning: no, uid: 1000, libvirtUri: 'qemu:///session' })).status, 'ok');
});

test('a mending that fails is told, and the others go on', async (t) => {
  const probes = fakeProbes({
    ...sound,
    isRunning: no,
    stat: () => Promise.resolve(stats(0o600, 0)),
    run: () => Promise.reject(new Error('virtlogd: permission denied')),
    setOwner: () => Promise.resolve(),
  });
  t.deepEqual(
    (await mend(await examine(probes))).map(({ id, error }) => [id, error]),
    [
      ['virtlogd', 'virtlogd: permission denied'],
      ['kvm', null],
    ],
  );
});

test('a /dev/kvm that QEMU cannot open fails, and root mends it', async (t) => {
  const set: unknown[] = [];
  const found = await finding('kvm', {
    stat: () => Promise.resolve(stats(0o600, 0)),
    setOwner: (file, owner) => {
      set.push([file, owner]);
      return Promise.resolve();
    },
  });
  t.is(found.status, 'failed');
  await found.mend?.run();
  t.deepEqual(set, [['/dev/kvm', { uid: 0, gid: 104, mode: 0o660 }]]);
});

test('no hardware virtualization is a warning about the boundary, no failure', async (t) => {
  const found = await finding('virtualization', { readText: () => Promise.resolve('flags : fpu sse\n') });
  t.is(found.status, 'warning');
  t.regex(found.hint ?? '', /no security boundary/);
});

test('too little memory or disk fails', async (t) => {
  const little = () => Promise.resolve(1024 ** 3);
  t.is((await finding('memory', { availableMemory: little })).status, 'failed');
  t.is((await finding('disk', { freeDisk: little })).status, 'failed');
});

test('a data folder below a closed home fails where QEMU runs as another user, and only there', async (t) => {
  const stat = (file: string) => Promise.resolve(stats(file === '/var' ? 0o700 : 0o755));
  t.like(await finding('data', { stat }), {
    status: 'failed',
    detail: "/var/lib/nest: QEMU's user cannot pass through /var",
  });
  t.is((await finding('data', { stat, libvirtUri: 'qemu:///session' })).status, 'ok');
});

test('a data folder that is not there yet is judged by the nearest that is', async (t) => {
  const stat = (file: string) => Promise.resolve(file.startsWith('/var/lib/') ? undefined : stats(0o755));
  const asked: string[] = [];
  const canWrite = (folder: string) => {
    asked.push(folder);
    return Promise.resolve(false);
  };
  t.is((await finding('data', { stat, canWrite })).status, 'failed');
  t.deepEqual(asked, ['/var/lib']);
});

test('a missing guest image is a warning with the command that builds it', async (t) => {
  t.like(await finding('guest-image', { list: () => Promise.resolve([]) }), {
    status: 'warning',
    hint: 'nest guest-image build',
  });
});

test('a check that hangs or breaks fails alone', async (t) => {
  const probes = fakeProbes({
    ...sound,
    connectLibvirt: () => new Promise(() => undefined),
    availableMemory: () => Promise.reject(new Error('no /proc')),
  });
  const failed = (await examine(probes, { timeLimit: 50 })).filter(({ status }) => status === 'failed');
  t.deepEqual(
    failed.map(({ check, detail }) => [check.id, detail]),
    [
      ['libvirt', 'no answer within 0.05 s'],
      ['memory', 'could not be checked: no /proc'],
    ],
  );
});

test('the report is aligned, with hints under what fails, in ASCII where the terminal has no UTF-8', async (t) => {
  const findings = await examine(
    fakeProbes({ ...sound, availableMemory: () => Promise.resolve(1024 ** 3), engineAnswers: no }),
  );
  const lines = formatReport(findings, { LANG: 'C' }).split('\n');
  t.is(lines[0], '+ Node             24.1.0');
  t.deepEqual(
    lines.filter((line) => /Free memory|Stop|Engine|failed/.test(line)),
    [
      'x Free memory      1.0 GiB, wants 2 GiB',
      '                   Hint: Stop what is not needed.',
      '- Engine           not running; commands start it',
      '1 of 13 checks failed.',
    ],
  );
  t.true(formatReport(findings, { LANG: 'en_US.UTF-8' }).startsWith('✓ Node'));
});
