import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { BootFiles } from '../../src/guest-image/guest-image.ts';

export interface BenchGuest {
  boot: BootFiles;
  /** Squashfs in the agent part's place. */
  driver: string;
  /** A formatted raw disk, written to. */
  disk: string;
  /** Further read-only squashfs disks: vdd, vde, … */
  disks: string[];
  /** Layers, by serial. */
  layers: Record<string, string>;
  commandLine: string;
  accelerator: 'kvm' | 'tcg';
}

/**
 * Boots a guest without engine and libvirt and waits for the console line that begins with `mark`.
 *
 * @returns the rest of that line
 * @throws Error with the console's last lines when the guest ends, or `seconds` pass, before the line came
 */
export async function runInGuest(guest: BenchGuest, mark: string, seconds: number): Promise<string> {
  const qemu = spawn('qemu-system-x86_64', qemuArguments(guest), { stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => qemu.kill('SIGKILL'), seconds * 1000);
  const tail: string[] = [];
  try {
    for await (const line of createInterface(qemu.stdout)) {
      if (line.startsWith(mark)) return line.slice(mark.length);
      tail.push(line);
      if (tail.length > 20) tail.shift();
    }
  } finally {
    clearTimeout(timer);
    qemu.kill('SIGKILL');
  }
  throw new Error(`run bench in a guest: it ended without a report\n${tail.join('\n')}`);
}

function qemuArguments({ boot, driver, disk, disks, layers, commandLine, accelerator }: BenchGuest): string[] {
  const readonly = (file: string) => ['-drive', `file=${file},format=raw,if=virtio,readonly=on`];
  return [
    ...[
      '-machine',
      `q35,accel=${accelerator}`,
      '-cpu',
      accelerator === 'kvm' ? 'host' : 'max',
      '-smp',
      '2',
      '-m',
      '1024',
    ],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', `${boot.commandLine} ${commandLine}`],
    ...readonly(boot.root),
    ...readonly(driver),
    ...['-drive', `file=${disk},format=raw,if=virtio,cache=unsafe`],
    ...disks.flatMap(readonly),
    ...[
      '-device',
      'virtio-serial-pci',
      '-chardev',
      'null,id=trunk',
      '-device',
      'virtserialport,chardev=trunk,name=nest.agent.0',
    ],
    ...['-device', 'virtio-scsi-pci'],
    ...Object.entries(layers).flatMap(([serial, file], index) => [
      ...['-drive', `file=${file},format=raw,if=none,readonly=on,id=layer${index}`],
      ...['-device', `scsi-hd,drive=layer${index},serial=${serial}`],
    ]),
  ];
}
