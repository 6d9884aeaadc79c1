import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { NestError } from '../errors.ts';

/**
 * Makes a volume's disk: a raw file, thin, with an empty ext4. It has a journal, other than a guest's own disk: a guest may
 * end under it at any time, and the next one's kernel replays the journal when it mounts. The host itself never reads what
 * guests have written there: parsing a hostile file system is the guests' business.
 *
 * @param size bytes
 */
export async function makeVolumeDisk(file: string, size: number): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  await handle.truncate(size);
  await handle.close();
  try {
    await promisify(execFile)('mkfs.ext4', [...FORMAT, file], {
      // An ordinary user's PATH has no sbin, where Debian keeps mkfs.
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    });
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new NestError('tool-missing', 'run `mkfs.ext4`: not found', {
        hint: 'Install it: apt-get install e2fsprogs',
        cause: error,
      });
    const why = stderr.trim().split('\n').at(-1) || 'it failed';
    throw new NestError('internal', `format a volume with \`mkfs.ext4\`: ${why}`, { cause: error });
  }
}

/**
 * mkfs.ext4(8). Tables and journal count as zeroed, which a sparse file is: otherwise the guest's kernel writes them in the
 * background for minutes. Files inherit no owner of the host.
 */
const FORMAT = [
  ...['-q', '-F', '-L', 'nest-volume', '-m', '0', '-O', 'has_journal'],
  ...['-E', 'assume_storage_prezeroed=1,nodiscard,root_owner=0:0'],
];
