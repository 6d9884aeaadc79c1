import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NestError } from '../errors.ts';
import { run } from './run.ts';
import { openWorkFolder } from './work-folder.ts';

/** A package as the machine's package lists offer it; where it comes from is apt's business. */
export interface DebianPackage {
  name: string;
  /** Name of the .deb with version and architecture. */
  file: string;
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256: string;
}

/** Looks packages up in apt's lists. Downloads nothing. */
export async function resolvePackages(names: string[], signal?: AbortSignal): Promise<DebianPackage[]> {
  const listed = await run('apt-get', ['download', '--print-uris', ...names.map(forGuest)], { signal }).catch(explain);
  const packages = parsePrintedUris(listed);
  const absent = names.filter((name) => !packages.some((found) => found.name === name));
  if (absent.length > 0) explain(new Error(`not in apt's lists: ${absent.join(', ')}`));
  return packages;
}

/** The package that a meta package such as linux-image-cloud-amd64 stands for: its first dependency. */
export async function resolveMetaPackage(name: string, signal?: AbortSignal): Promise<string> {
  const record = await run('apt-cache', ['show', '--no-all-versions', forGuest(name)], { signal }).catch(explain);
  const dependency = /^Depends: ([a-z0-9][a-z0-9.+-]+)/m.exec(record)?.[1];
  return dependency ?? explain(new Error(`\`${name}\` has no dependency`));
}

/**
 * Parses `apt-get download --print-uris`: 'URI' FILE SIZE SHA256:HEX. The address is not kept. Sorted by name.
 */
export function parsePrintedUris(output: string): DebianPackage[] {
  return output
    .split('\n')
    .map((line) => PRINTED_URI.exec(line)?.groups)
    .filter((groups) => groups !== undefined)
    .map((groups) => ({
      name: groups['name'] ?? '',
      file: groups['file'] ?? '',
      size: Number(groups['size']),
      sha256: groups['sha256'] ?? '',
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Brings the packages' .debs into `cache`, unless copies with the right hash are there, and returns their paths. All that
 * is missing comes with one run of apt, which takes a second to begin.
 */
export async function fetchPackages(packages: DebianPackage[], cache: string, signal?: AbortSignal): Promise<string[]> {
  const present = await Promise.all(packages.map((wanted) => hasDigest(path.join(cache, wanted.file), wanted.sha256)));
  const absent = packages.filter((_, index) => present[index] === false);
  if (absent.length > 0) await download(absent, cache, signal);
  return packages.map((wanted) => path.join(cache, wanted.file));
}

/** Unpacks a package's files. Its maintainer scripts do not run. */
export async function extractPackage(deb: string, folder: string, signal?: AbortSignal): Promise<void> {
  await run('dpkg-deb', ['--extract', deb, folder], { signal });
}

/** Each file is complete under its name: it is loaded elsewhere, checked, then renamed. */
async function download(packages: DebianPackage[], cache: string, signal?: AbortSignal): Promise<void> {
  await using work = await openWorkFolder(cache);
  const exact = packages.map(({ name, file }) => `${forGuest(name)}=${versionIn(file)}`);
  await run('apt-get', ['-q', 'download', ...exact], { cwd: work.folder, signal }).catch(explain);
  for (const { file, sha256 } of packages) {
    const loaded = path.join(work.folder, file);
    if (!(await hasDigest(loaded, sha256)))
      throw new Error(`download package \`${file}\`: its SHA-256 is not the one in apt's lists`);
    await rename(loaded, path.join(cache, file));
  }
}

/** NAME_VERSION_ARCH.deb, where apt writes the epoch's colon as %3a. */
function versionIn(file: string): string {
  return decodeURIComponent(file.split('_')[1] ?? '');
}

async function hasDigest(file: string, sha256: string): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return hash.digest('hex') === sha256;
}

/** Guests are x86-64, whatever other architectures the host's dpkg knows. */
function forGuest(name: string): string {
  return `${name}:amd64`;
}

function explain(error: unknown): never {
  if (error instanceof NestError || (error instanceof Error && error.name === 'AbortError')) throw error;
  const cause = error instanceof Error ? error.message : String(error);
  throw new NestError('not-found', `find Debian packages of the guest image: ${cause}`, {
    hint: 'Refresh the package lists as root: apt-get update',
    cause: error,
  });
}

const PRINTED_URI =
  /^'[^']*' (?<file>(?<name>[a-z0-9][a-z0-9.+-]*)_[^/ ]+\.deb) (?<size>\d+) SHA256:(?<sha256>[0-9a-f]{64})$/;
