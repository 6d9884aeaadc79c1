import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Accelerator, AcceleratorChoice } from '../api.ts';
import { NestError } from '../errors.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { Paths } from '../paths.ts';
import { kvmProof, qemuVersion } from './kvm-proof.ts';

export interface ChosenAccelerator {
  accelerator: Accelerator;
  /** One line for the user. */
  warning?: string;
}

/** What the choice depends on outside this process; tests give their own. */
export interface Machine {
  kvmDevice: string;
  /** Names QEMU and the running host kernel: a verdict holds for these. */
  identity(): Promise<string>;
  /** Resolves with null when KVM ran the guest's kernel, else with the reason why it did not. */
  prove(boot: BootFiles, signal?: AbortSignal): Promise<string | null>;
}

/**
 * Settles with what a guest runs. Hardware virtualization may look present and not work (docs/decisions/0006), so `auto` and
 * `kvm` trust it only after the guest's own kernel has run under it; the verdict is kept until kernel, QEMU, host boot or
 * /dev/kvm change.
 *
 * @throws NestError `unsupported` when `kvm` was asked for and does not work
 */
export async function chooseAccelerator(
  paths: Paths,
  boot: BootFiles,
  choice: AcceleratorChoice,
  options: { signal?: AbortSignal; machine?: Machine } = {},
): Promise<ChosenAccelerator> {
  if (choice === 'tcg') return { accelerator: 'tcg', warning: `guests run under ${EMULATION}` };
  const failure = await kvmFailure(paths, boot, options.machine ?? thisMachine, options.signal);
  if (failure === null) return { accelerator: 'kvm' };
  if (choice === 'auto')
    return { accelerator: 'tcg', warning: `KVM does not work here (${failure}): guests run under ${EMULATION}` };
  throw new NestError('unsupported', `use KVM: ${failure}`, {
    hint: 'Run nest doctor to see what KVM lacks, or accept slow software emulation with --accel tcg',
  });
}

async function kvmFailure(
  paths: Paths,
  boot: BootFiles,
  machine: Machine,
  signal?: AbortSignal,
): Promise<string | null> {
  const device = await deviceIdentity(machine.kvmDevice);
  if (device.failure !== undefined) return device.failure;
  const key = [boot.digest, await machine.identity(), device.identity].join(' ');
  const known = await recall(paths);
  if (known?.key === key) return known.failure;
  const failure = await machine.prove(boot, signal);
  await keep(paths, { key, failure });
  return failure;
}

async function deviceIdentity(
  device: string,
): Promise<{ identity: string; failure?: undefined } | { failure: string }> {
  try {
    const { dev, ino, rdev, ctimeMs } = await stat(device);
    await access(device, constants.R_OK | constants.W_OK);
    return { identity: [dev, ino, rdev, ctimeMs].join(':') };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { failure: missing ? `no ${device}` : `no permission to open ${device}` };
  }
}

async function recall(paths: Paths): Promise<v.InferOutput<typeof Verdict> | undefined> {
  try {
    return v.parse(Verdict, JSON.parse(await readFile(verdictFile(paths), 'utf8')));
  } catch {
    return undefined;
  }
}

async function keep(paths: Paths, verdict: v.InferOutput<typeof Verdict>): Promise<void> {
  await mkdir(paths.data, { recursive: true });
  const temporary = `${verdictFile(paths)}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, JSON.stringify(verdict));
  await rename(temporary, verdictFile(paths));
}

function verdictFile(paths: Paths): string {
  return path.join(paths.data, 'kvm-proof.json');
}

const thisMachine: Machine = {
  kvmDevice: '/dev/kvm',
  async identity() {
    const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${await qemuVersion()} ${bootId.trim()}`;
  },
  prove: (boot, signal) => kvmProof(boot, { signal }),
};

const Verdict = v.object({ key: v.string(), failure: v.nullable(v.string()) });
const EMULATION = 'software emulation, which is slow and no security boundary';
