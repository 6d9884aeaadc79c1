import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { extractPackage, fetchPackages, resolvePackages } from '../../src/guest-image/debian-packages.ts';
import { sharedLibraries } from '../../src/guest-image/libraries.ts';
import { makeSquashfs } from '../../src/guest-image/squashfs.ts';

/** Packs Debian's crun and runc with their libraries (bin/, lib/) into a squashfs that only benches attach. */
export async function makePeersPart(work: string, cache: string): Promise<string> {
  const extracted = path.join(work, 'packages');
  for (const deb of await fetchPackages(await resolvePackages(PACKAGES), cache)) await extractPackage(deb, extracted);
  const programs = ['usr/bin/crun', 'usr/sbin/runc'].map((program) => path.join(extracted, program));
  const tree = path.join(work, 'peers');
  await mkdir(path.join(tree, 'bin'), { recursive: true });
  await mkdir(path.join(tree, 'lib'));
  for (const program of programs) await copyFile(program, path.join(tree, 'bin', path.basename(program)));
  for (const [name, file] of await sharedLibraries(programs, [], extracted))
    await copyFile(file, path.join(tree, 'lib', name));
  const part = path.join(work, 'peers.squashfs');
  await makeSquashfs(tree, part);
  return part;
}

const PACKAGES = [
  'crun',
  'runc',
  'libc6',
  'libcap2',
  'libgcrypt20',
  'libgpg-error0',
  'liblz4-1',
  'liblzma5',
  'libseccomp2',
  'libsystemd0',
  'libyajl2',
  'libzstd1',
];
