import { ok, type Check } from '../check.ts';

/** Programs that the engine runs, by the Debian 12 package that has them. */
const PROGRAMS: Record<string, string[]> = {
  'qemu-system-x86': ['qemu-system-x86_64'],
  'qemu-utils': ['qemu-img'],
  'squashfs-tools': ['mksquashfs', 'sqfstar'],
  skopeo: ['skopeo'],
  apt: ['apt-get'],
  dpkg: ['dpkg-deb'],
};

export const node: Check = {
  id: 'node',
  what: 'Node',
  why: 'nest runs its TypeScript on Node 24.',
  examine({ nodeVersion }) {
    const recent = Number(nodeVersion.split('.')[0]) >= 24;
    const hint = 'Run nest by its bin/nest.js: it brings its own Node.';
    return Promise.resolve(recent ? ok(nodeVersion) : { status: 'failed', detail: `${nodeVersion}, not 24`, hint });
  },
};

export const programs: Check = {
  id: 'programs',
  what: 'Programs',
  why: 'The engine calls QEMU, squashfs and image tools; the guest image is made from Debian packages.',
  async examine({ findProgram }) {
    const wanted = Object.entries(PROGRAMS).flatMap(([from, names]) => names.map((name) => ({ from, name })));
    const found = await Promise.all(wanted.map(({ name }) => findProgram(name)));
    const missing = wanted.filter((_, index) => found[index] === undefined);
    if (missing.length === 0) return ok(`all ${wanted.length} found`);
    const packages = [...new Set(missing.map(({ from }) => from))];
    return {
      status: 'failed',
      detail: `missing: ${missing.map(({ name }) => name).join(', ')}`,
      hint: `apt-get install ${packages.join(' ')}`,
    };
  },
};
