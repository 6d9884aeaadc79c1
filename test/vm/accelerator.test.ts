import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NestError } from '../../src/errors.ts';
import type { BootFiles } from '../../src/guest-image/guest-image.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { chooseAccelerator, type Machine } from '../../src/vm/accelerator.ts';
import { kvmProof } from '../../src/vm/kvm-proof.ts';

const boot = { digest: 'image-1', kernel: 'k', initrd: 'i', commandLine: '' } as BootFiles;

test('software emulation on request comes with a warning and without a proof', async (t) => {
  const { paths, machine, proofs } = await host(t, null);
  const chosen = await chooseAccelerator(paths, boot, 'tcg', { machine });
  t.is(chosen.accelerator, 'tcg');
  t.regex(chosen.warning ?? '', /slow and no security boundary/);
  t.is(proofs(), 0);
});

test('KVM that runs the guest kernel is chosen, and proven once', async (t) => {
  const { paths, machine, proofs } = await host(t, null);
  for (const choice of ['auto', 'kvm', 'auto'] as const)
    t.deepEqual(await chooseAccelerator(paths, boot, choice, { machine }), { accelerator: 'kvm' });
  t.is(proofs(), 1);
});

test('KVM that does not run the guest kernel gives software emulation and says why', async (t) => {
  const { paths, machine, proofs } = await host(t, 'KVM internal error');
  for (const choice of ['auto', 'auto'] as const) {
    const chosen = await chooseAccelerator(paths, boot, choice, { machine });
    t.is(chosen.accelerator, 'tcg');
    t.regex(chosen.warning ?? '', /KVM internal error.*no security boundary/);
  }
  t.is(proofs(), 1);
});

test('asking for KVM that does not work is an error with a way out', async (t) => {
  const { paths, machine } = await host(t, 'KVM internal error');
  const error = await t.throwsAsync(chooseAccelerator(paths, boot, 'kvm', { machine }), { instanceOf: NestError });
  t.is(error.code, 'unsupported');
  t.regex(error.hint ?? '', /--accel tcg/);
});

test('without a KVM device nothing is proven', async (t) => {
  const { paths, machine, proofs } = await host(t, null);
  const chosen = await chooseAccelerator(paths, boot, 'auto', { machine: { ...machine, kvmDevice: '/dev/null/kvm' } });
  t.is(chosen.accelerator, 'tcg');
  t.is(proofs(), 0);
});

test('another guest image or another QEMU is proven again', async (t) => {
  const { paths, machine, proofs } = await host(t, null);
  await chooseAccelerator(paths, boot, 'auto', { machine });
  await chooseAccelerator(paths, { ...boot, digest: 'image-2' }, 'auto', { machine });
  await chooseAccelerator(paths, boot, 'auto', { machine: { ...machine, identity: () => Promise.resolve('QEMU 9') } });
  t.is(proofs(), 3);
});

test('a QEMU that ends early fails the proof with its complaint', async (t) => {
  t.is(await kvmProof(boot, { qemu: await script(t, 'echo "failed to set MSR" >&2; exit 1') }), 'failed to set MSR');
});

test('a QEMU that stops on a KVM error fails the proof at once and is ended', async (t) => {
  const qemu = await script(t, 'echo "KVM internal error. Suberror: 1" >&2; exec sleep 1000');
  t.regex((await kvmProof(boot, { qemu })) ?? '', /KVM internal error/);
});

async function host(
  t: ExecutionContext,
  failure: string | null,
): Promise<{ paths: Paths; machine: Machine; proofs: () => number }> {
  const folder = await temporaryFolder(t);
  const kvmDevice = path.join(folder, 'kvm');
  await writeFile(kvmDevice, '');
  let proofs = 0;
  const prove = () => {
    proofs += 1;
    return Promise.resolve(failure);
  };
  const machine = { kvmDevice, identity: () => Promise.resolve('QEMU 7.2, boot 1'), prove };
  return { paths: nestPaths({ NEST_DATA_DIR: path.join(folder, 'data') }), machine, proofs: () => proofs };
}

async function script(t: ExecutionContext, lines: string): Promise<string> {
  const file = path.join(await temporaryFolder(t), 'qemu');
  await writeFile(file, `#!/bin/sh\n${lines}\n`);
  await chmod(file, 0o755);
  return file;
}

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-accelerator-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
