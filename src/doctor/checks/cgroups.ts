import { ok, type Check } from '../check.ts';

export const processLimits: Check = {
  id: 'limits',
  what: 'Limits of QEMU',
  why: 'Its cgroup holds a QEMU, also one that a guest has taken over, to what the guest was promised.',
  async examine({ libvirtUri, readText, stat }) {
    const without = (detail: string) => ({
      status: 'note' as const,
      detail,
      hint: 'Guests run all the same; nest vm show says what holds each one.',
    });
    if (libvirtUri.endsWith('/session')) return without("none: a session's libvirt makes no cgroups");
    const unified = (await readText(`${CGROUPS}/cgroup.controllers`)).split(/\s+/);
    const found = await Promise.all(
      CONTROLLERS.map(async (name) => unified.includes(name) || (await stat(`${CGROUPS}/${name}`)) !== undefined),
    );
    const missing = CONTROLLERS.filter((_, index) => found[index] === false);
    return missing.length === 0
      ? ok('memory and processors')
      : without(`no cgroup controller for ${missing.join(', ')}`);
  },
};

const CGROUPS = '/sys/fs/cgroup';
const CONTROLLERS = ['memory', 'cpu'];
