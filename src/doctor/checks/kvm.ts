import { ok, type Check } from '../check.ts';
import type { Probes } from '../probes.ts';

export const virtualization: Check = {
  id: 'virtualization',
  what: 'Virtualization',
  why: 'Only hardware virtualization makes a guest a security boundary.',
  async examine({ readText, stat }) {
    const hardware = /^flags\s*:.*\b(vmx|svm)\b/m.exec(await readText('/proc/cpuinfo'))?.[1];
    if (hardware !== undefined && (await stat(DEVICE)) !== undefined)
      return ok(`hardware (${hardware}), to be proven by the first guest`);
    return {
      status: 'warning',
      detail: hardware === undefined ? 'the processor offers none' : `no ${DEVICE}`,
      hint: 'Guests run under software emulation: slow, and no security boundary. Use a host with KVM for that.',
    };
  },
};

export const device: Check = {
  id: 'kvm',
  what: 'KVM device',
  why: 'libvirt probes QEMU again at every call, 84 s each, when root can open /dev/kvm and QEMU cannot.',
  async examine(probes) {
    const stats = await probes.stat(DEVICE);
    if (stats === undefined) return { status: 'note', detail: `no ${DEVICE}` };
    const group = await probes.groupId('kvm');
    const mode = stats.mode & 0o777;
    const shared = (stats.gid === group && (mode & 0o060) === 0o060) || (mode & 0o006) === 0o006;
    if (!shared) return unshared(probes, mode, group);
    if (await probes.canOpen(DEVICE)) return ok(`${DEVICE}, mode ${mode.toString(8)}`);
    return {
      status: 'warning',
      detail: `${DEVICE}: permission denied`,
      hint: 'Join the group kvm, then log in again: sudo usermod -aG kvm $USER',
    };
  },
};

async function unshared(probes: Probes, mode: number, group: number | undefined): ReturnType<Check['examine']> {
  const command = `chgrp kvm ${DEVICE} && chmod 660 ${DEVICE}`;
  const mendable = probes.uid === 0 && group !== undefined;
  const run = () => probes.setOwner(DEVICE, { uid: 0, gid: group ?? 0, mode: 0o660 });
  return Promise.resolve({
    status: 'failed',
    detail: `${DEVICE} is not the group kvm's (mode ${mode.toString(8)}): QEMU cannot open it`,
    hint: command,
    ...(mendable && { mend: { command, run } }),
  });
}

const DEVICE = '/dev/kvm';
