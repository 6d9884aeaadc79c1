import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { type BenchGuest, bootBenchGuest } from '../../bench/frame/guest.ts';
import { makePeersPart, PODMAN } from '../../bench/frame/peers-part.ts';
import { makeAgentPart } from '../../src/guest-image/agent-part.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { projectRoot } from '../../src/guest-image/project-root.ts';
import { chooseAccelerator } from '../../src/vm/accelerator.ts';
import { CONFIGURATIONS, type Outcome, RUNTIMES } from '../fixtures/oci/contract.ts';
import { DIFFERENCES, differences } from '../fixtures/oci/differences.ts';
import { testGuestImage } from '../helpers/guest-image.ts';

/** crun, runc and nest-runtime in one guest, without engine and agent: fixtures/oci/driver.ts. */
let guest: BenchGuest;
let work: string;

test.before(async () => {
  const { paths } = await testGuestImage();
  const boot = await findGuestImage(paths, 'debian-12');
  const { accelerator } = await chooseAccelerator(paths, boot, 'auto');
  work = await mkdtemp(path.join(tmpdir(), 'nest-oci-'));
  const driver = await makeAgentPart(paths, {
    agent: path.join(projectRoot(), 'test/fixtures/oci/driver.ts'),
    zygote: path.join(projectRoot(), 'guest-agent/zygote/main.ts'),
    'nest-runtime': path.join(projectRoot(), 'guest-agent/nest-runtime/main.ts'),
  });
  const disk = path.join(work, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, 1024 ** 3);
  await promisify(execFile)('mkfs.ext4', ['-q', '-F', disk]);
  const peers = await makePeersPart(work, paths.cache, PODMAN);
  guest = await bootBenchGuest({ boot, driver: driver.file, disk, disks: [peers], layers: {}, accelerator, work });
  await guest.ask('prepare');
});

test.after.always(async () => {
  guest.close();
  await rm(work, { recursive: true, force: true });
});

for (const name of CONFIGURATIONS)
  test.serial(`${name}: a container is under nest-runtime what it is under crun and runc`, async (t) => {
    const probes = new Map<string, unknown>();
    for (const runtime of RUNTIMES) probes.set(runtime, await guest.ask(`${name} ${runtime}`));
    const ours = probes.get('nest-runtime') as { rights?: unknown };
    t.truthy(ours.rights, JSON.stringify(ours));
    for (const peer of ['runc', 'crun'] as const) {
      const unexplained = differences(probes.get(peer), ours).filter(
        (line) => !DIFFERENCES[peer].some(([lines]) => lines.test(line)),
      );
      t.deepEqual(unexplained, [], `unlike ${peer}`);
    }
  });

const podman = test.macro(async (t, script: string, expected: RegExp[]) => {
  const { output } = (await guest.ask(script, 300)) as Outcome;
  for (const words of expected) t.regex(output, words);
});

test.serial('podman run passes output and exit status', podman, 'run', [/^hello\nexit 7$/m]);
test.serial('podman knows a command that is not there', podman, 'no such command', [/^exit 127$/m, /was not found/]);
test.serial('podman --memory, --cpus, --pids-limit, --ulimit', podman, 'limits', [
  /^67108864\n50000 100000\n50\n100\n200$/m,
]);
test.serial('podman --user, --read-only, --cap-drop all, --security-opt', podman, 'rights', [
  /^uid=1000.* gid=100/m,
  /^CapBnd:\t0000000000000000$/m,
  /^NoNewPrivs:\t1$/m,
  /^Seccomp:\t0$/m,
  /Read-only file system/,
]);
test.serial('podman --tmpfs, -v, --init', podman, 'files', [
  /^tmpfs +1024 /m,
  /^volume$/m,
  /touch: \/srv\/x: Read-only file system/,
  /^(tini-static|podman-init|catatonit)$/m,
  /^Seccomp:\t2$/m,
]);
test.serial('podman --uidmap', podman, 'mapped', [/^0\n +0 +100000 +65536$/m]);
test.serial('podman --userns', podman, 'user namespace', [/^0\n +0 +300000 +1000\n +0 +0 +4294967295$/m]);
test.serial('podman update', podman, 'update', [/^100663296\n25000 100000$/m]);
test.serial('podman run and exec --preserve-fds', podman, 'descriptors', [/^kept\n6\nfurther\nkept\n6$/m]);
test.serial('podman -it', podman, 'terminal', [/^\/dev\/pts\/0\r?$/m, /^console\r?$/m]);
test.serial('podman exec, exec -it, pause, unpause, stop, start, kill, rm', podman, 'life', [
  /^inside sh$/m,
  /^\/dev\/pts\/\d\r?$/m,
  /^Paused\nUp$/m,
  /^9$/m,
  /^137$/m,
]);
