import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, constants, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { NestError } from '../errors.ts';
import type { ProcessOwner } from '../libvirt/domain-xml.ts';
import type { Paths } from '../paths.ts';

/**
 * Makes a guest's writable disk: thin, with an ext4. It is a copy of a file that is made once, and some megabytes long; a
 * copy has no ties to the cache, which may be emptied under running guests.
 */
export async function makeDisk(
  paths: Paths,
  file: string,
  { owner, ...source }: DiskSource & { owner: ProcessOwner | null },
): Promise<void> {
  const original = 'template' in source ? source.template : await formattedDisk(paths.cache, source.quotas);
  await copyFile(original, file, constants.COPYFILE_FICLONE);
  await chmod(file, 0o600);
  if (owner) await chown(file, owner.uid, owner.gid);
}

/**
 * `template`: a clone's disk is what the template's was when it was captured, for it is mounted in its memory.
 * `quotas`: an empty one keeps quotas of projects, which bound containers. A kernel without quota_v2 cannot mount such a disk
 * at all, and it is missing in some distributions' images for clouds.
 */
export type DiskSource = { template: string } | { quotas: boolean };

async function formattedDisk(cache: string, quotas: boolean): Promise<string> {
  const format = formatOf(quotas);
  const file = path.join(cache, `guest-disk-${digestOf(format)}.qcow2`);
  if (await exists(file)) return file;
  await mkdir(cache, { recursive: true });
  const raw = `${file}.${randomBytes(6).toString('hex')}.raw`;
  const qcow2 = `${raw}.qcow2`;
  try {
    const handle = await open(raw, 'wx');
    await handle.truncate(SIZE);
    await handle.close();
    await run('mkfs.ext4', [...format, raw], 'e2fsprogs');
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2], 'qemu-utils');
    await chmod(qcow2, 0o444);
    await rename(qcow2, file);
  } finally {
    await rm(raw, { force: true });
    await rm(qcow2, { force: true });
  }
  return file;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function run(program: string, parameters: string[], debianPackage: string): Promise<void> {
  // An ordinary user's PATH has no sbin, where Debian keeps mkfs.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  try {
    await promisify(execFile)(program, parameters, { env });
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new NestError('tool-missing', `run \`${program}\`: not found`, {
        hint: `Install it: apt-get install ${debianPackage}`,
        cause: error,
      });
    const why = stderr.trim().split('\n').at(-1) ?? 'it failed';
    throw new NestError('internal', `format guest disk with \`${program}\`: ${why}`, { cause: error });
  }
}

/** Bytes that a guest can use at most; the host gives them when they are written. */
const SIZE = 16 * 1024 ** 3;

/**
 * mkfs.ext4(8). No journal: the disk never outlives its guest's QEMU, so there is no crash to recover from. Tables count
 * as zeroed, which a sparse file is: otherwise the guest's kernel writes them in the background for minutes.
 */
function formatOf(quotas: boolean): string[] {
  const features = `^has_journal${quotas ? ',quota,project' : ''}`;
  const options = `assume_storage_prezeroed=1,nodiscard${quotas ? ',quotatype=prjquota' : ''}`;
  return ['-q', '-F', '-L', 'nest', '-m', '0', '-O', features, '-E', options];
}

const digestOf = (format: string[]) =>
  createHash('sha256')
    .update([SIZE, ...format].join(' '))
    .digest('hex')
    .slice(0, 12);

/** Names what the disks of new guests of nest's own image have in common, which is every byte. */
export const DISK_RECIPE = digestOf(formatOf(true));
