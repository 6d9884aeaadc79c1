import { execFile, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { NestError } from '../errors.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';

/**
 * Boots the guest's kernel and initrd under KVM, without libvirt, until the initrd says that it runs
 * (images/<recipe>/initrd/init, `nest.proof=1`).
 *
 * A broken KVM shows in many ways: QEMU exits, stops the machine with "KVM internal error", resets for ever or hangs.
 * Each ends here: the first is an exit, `-no-reboot` makes a reset one, the complaint on stderr counts as a failure, and
 * what is left runs into the time limit.
 *
 * @returns null when the kernel ran, else why not, in one line
 */
export async function kvmProof(boot: ProofFiles, options: { signal?: AbortSignal | undefined; qemu?: string } = {}) {
  const { signal, qemu = QEMU } = options;
  signal?.throwIfAborted();
  const child = spawn(
    qemu,
    [...MACHINE, '-kernel', boot.kernel, '-initrd', boot.initrd, '-append', `${boot.commandLine} nest.proof=1`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const output = { console: '', complaint: '' };
  const onAbort = () => reject(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort);
  const limit = setTimeout(() => resolve(`the guest kernel did not start within ${LIMIT / 1000} s`), LIMIT);
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output.console = (output.console + text).slice(-OUTPUT_KEPT);
    if (output.console.includes(MARKER)) resolve(null);
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    output.complaint = (output.complaint + text).slice(0, OUTPUT_KEPT);
    if (output.complaint.includes(INTERNAL_ERROR)) resolve('the guest kernel does not run: KVM internal error');
  });
  child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing(qemu) : error));
  child.on('close', () => resolve(firstError(output.complaint) ?? 'QEMU ended before the guest kernel started'));
  try {
    return await promise;
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
}

/** QEMU warns first, of features that the host does not have. */
function firstError(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => line.trim() !== '' && !line.includes('warning:'));
}

type ProofFiles = Pick<BootFiles, 'kernel' | 'initrd' | 'commandLine'>;

/** First line of `qemu-system-x86_64 --version`; the program is asked again only when its file has changed. */
export async function qemuVersion(): Promise<string> {
  const found = await stat(QEMU_FILE).catch(() => undefined);
  const file = found && [found.ino, found.size, found.mtimeMs].join(' ');
  if (file === undefined || asked?.file !== file) asked = { file, version: askVersion() };
  return asked.version;
}

let asked: { file: string | undefined; version: Promise<string> } | undefined;

async function askVersion(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(QEMU, ['--version']);
    return stdout.split('\n')[0] ?? '';
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(QEMU) : error;
  }
}

function missing(qemu: string): NestError {
  return new NestError('tool-missing', `run \`${qemu}\`: not found`, {
    hint: 'Install it: apt-get install qemu-system-x86',
  });
}

const QEMU = 'qemu-system-x86_64';
const QEMU_FILE = '/usr/bin/qemu-system-x86_64';
const MACHINE = ['-accel', 'kvm', '-machine', 'q35', '-cpu', 'host', '-m', '256', '-smp', '1'].concat([
  '-nodefaults',
  '-no-user-config',
  '-display',
  'none',
  '-serial',
  'stdio',
  '-no-reboot',
]);
const MARKER = 'nest: proof';
const INTERNAL_ERROR = 'KVM internal error';
/** Milliseconds; a KVM that works needs less than one second. */
const LIMIT = 10_000;
/** Characters. */
const OUTPUT_KEPT = 4096;
