import { ok, type Check, type Mend, type Verdict } from '../check.ts';
import type { Probes } from '../probes.ts';

export const library: Check = {
  id: 'libvirt-library',
  what: 'libvirt library',
  why: 'The engine calls libvirt.so.0 and libvirt-qemu.so.0.',
  async examine({ loadLibvirt }) {
    try {
      await loadLibvirt();
      return ok('libvirt.so.0');
    } catch (error) {
      return failed(error, 'apt-get install libvirt-daemon-system libvirt-clients');
    }
  },
};

export const connection: Check = {
  id: 'libvirt',
  what: 'libvirt',
  why: 'The engine makes its guests through libvirt.',
  async examine(probes) {
    const { libvirtUri: uri } = probes;
    try {
      const { libvirt, hypervisor } = await probes.connectLibvirt(uri);
      return ok(`${uri}, libvirt ${version(libvirt)}, QEMU ${version(hypervisor)}`);
    } catch (error) {
      const mend = await startable(probes, 'libvirtd');
      const systemd = 'systemctl start libvirtd';
      return { ...failed(error, mend?.command ?? systemd), ...(mend && { mend }) };
    }
  },
};

export const logDaemon: Check = {
  id: 'virtlogd',
  what: 'virtlogd',
  why: "It keeps the guests' consoles and bounds their size; QEMU does not start without it.",
  async examine(probes) {
    if (!isSystem(probes)) return ok('started by libvirt for a session');
    if (await probes.hasInitSystem()) return ok('started by systemd when needed');
    if (await probes.isRunning('virtlogd')) return ok('running');
    const mend = await startable(probes, 'virtlogd');
    return {
      status: 'failed',
      detail: 'not running, and no init system starts it',
      hint: 'virtlogd -d',
      ...(mend && { mend }),
    };
  },
};

/** A daemon that this process may start, where no init system would. */
async function startable(probes: Probes, daemon: string): Promise<Mend | undefined> {
  if (probes.uid !== 0 || !isSystem(probes) || (await probes.hasInitSystem())) return undefined;
  const program = await probes.findProgram(daemon);
  if (program === undefined || (await probes.isRunning(daemon))) return undefined;
  return { command: `${daemon} -d`, run: () => probes.run(program, ['-d']) };
}

function isSystem({ libvirtUri }: Probes): boolean {
  return libvirtUri === 'qemu:///system';
}

function failed(error: unknown, hint: string): Verdict {
  return { status: 'failed', detail: error instanceof Error ? error.message : String(error), hint };
}

/** libvirt counts major * 1,000,000 + minor * 1,000 + release. */
function version(number: number): string {
  return `${Math.floor(number / 1_000_000)}.${Math.floor(number / 1000) % 1000}.${number % 1000}`;
}
