import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { extractPackage, fetchPackages, resolvePackages } from '../../src/guest-image/debian-packages.ts';
import { sharedLibraries } from '../../src/guest-image/libraries.ts';
import { makeSquashfs } from '../../src/guest-image/squashfs.ts';

/** Packs Debian's crun and runc with their libraries (bin/, lib/) into a squashfs that only benches and tests attach. */
export async function makePeersPart(work: string, cache: string, peers: Peers = RUNTIMES): Promise<string> {
  const extracted = path.join(work, 'packages');
  for (const deb of await fetchPackages(await resolvePackages(peers.packages), cache))
    await extractPackage(deb, extracted);
  const programs = peers.programs.map((program) => path.join(extracted, program));
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

export interface Peers {
  /** Debian's, with those of the libraries. */
  packages: string[];
  /** Paths in them. */
  programs: string[];
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

const RUNTIMES: Peers = { packages: PACKAGES, programs: ['usr/bin/crun', 'usr/sbin/runc'] };

/** With Podman and what it starts. */
export const PODMAN: Peers = {
  packages: [
    ...PACKAGES,
    'podman',
    'conmon',
    'libacl1',
    'libassuan0',
    'libattr1',
    'libaudit1',
    'libcap-ng0',
    'libcrypt1',
    'libpam0g',
    'zlib1g',
    'libffi8',
    'libmount1',
    'libblkid1',
    'libdevmapper1.02.1',
    'libglib2.0-0',
    'libgpgme11',
    'libpcre2-8-0',
    'libbz2-1.0',
    'libselinux1',
    'libsemanage2',
    'libsepol2',
    'libsubid4',
    'libudev1',
    'netavark',
    'libgcc-s1',
  ],
  programs: [...RUNTIMES.programs, 'usr/bin/podman', 'usr/bin/conmon', 'usr/lib/podman/netavark'],
};
