import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { TRUNK_PORT } from '../../guest-agent/api.ts';
import type { BootFiles } from '../../src/guest-image/guest-image.ts';
import { BENCH_PORT } from '../guest/contract.ts';

export interface BenchGuestOptions {
  boot: BootFiles;
  /** Squashfs in the agent part's place. */
  driver: string;
  /** A formatted raw disk, written to. */
  disk: string;
  /** Further read-only squashfs disks: vdd, vde, … */
  disks: string[];
  /** Layers, by serial. */
  layers: Record<string, string>;
  accelerator: 'kvm' | 'tcg';
  /** MiB. */
  memory?: number;
  /** An existing folder for its sockets. */
  work: string;
}

export interface BenchGuest {
  /** Where the trunk to its agent begins. */
  trunkSocket: string;
  /**
   * Has the driver do something and resolves with what that returned: contract.ts.
   *
   * @throws Error with the driver's words, or with the console's last lines when the guest ends or does not answer in time
   */
  ask(name: string, seconds?: number): Promise<unknown>;
  close(): void;
}

/** Boots a guest without engine and libvirt. */
export async function bootBenchGuest(options: BenchGuestOptions): Promise<BenchGuest> {
  const sockets = { trunk: path.join(options.work, 'trunk'), bench: path.join(options.work, 'bench') };
  const qemu = spawn('qemu-system-x86_64', qemuArguments(options, sockets), { stdio: ['ignore', 'pipe', 'inherit'] });
  const tail = keepTail(qemu);
  const close = () => void qemu.kill('SIGKILL');
  try {
    const bench = await connectWhenThere(sockets.bench, qemu);
    const answers = createInterface(bench);
    return {
      trunkSocket: sockets.trunk,
      close,
      async ask(name, seconds = 120) {
        bench.write(`${name}\n`);
        const answer = await nextLine(answers, qemu, seconds);
        if (answer === undefined) throw new Error(`\`${name}\` in a guest: no answer\n${tail.join('\n')}`);
        const { result, error } = JSON.parse(answer) as { result?: unknown; error?: string };
        if (error !== undefined) throw new Error(`\`${name}\` in a guest: ${error}`);
        return result;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

function keepTail(qemu: ChildProcess): string[] {
  const tail: string[] = [];
  if (qemu.stdout !== null)
    createInterface(qemu.stdout).on('line', (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
    });
  return tail;
}

async function connectWhenThere(socketPath: string, qemu: ChildProcess): Promise<Socket> {
  while (!existsSync(socketPath)) {
    if (qemu.exitCode !== null) throw new Error(`start QEMU: exit ${qemu.exitCode}`);
    await delay(10);
  }
  const socket = connect(socketPath);
  await once(socket, 'connect');
  return socket;
}

async function nextLine(lines: Interface, qemu: ChildProcess, seconds: number): Promise<string | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(seconds * 1000)]);
  const gone = () => over.abort();
  qemu.once('exit', gone);
  try {
    const [line] = (await once(lines, 'line', { signal })) as [string];
    return line;
  } catch {
    return undefined;
  } finally {
    qemu.off('exit', gone);
  }
}

function qemuArguments(
  { boot, driver, disk, disks, layers, accelerator, memory = 1024 }: BenchGuestOptions,
  sockets: { trunk: string; bench: string },
): string[] {
  const readonly = (file: string) => ['-drive', `file=${file},format=raw,if=virtio,readonly=on`];
  const port = (id: string, name: string, socket: string) => [
    ...['-chardev', `socket,id=${id},path=${socket},server=on,wait=off`],
    ...['-device', `virtserialport,chardev=${id},name=${name}`],
  ];
  return [
    ...['-machine', `q35,accel=${accelerator}`, '-cpu', accelerator === 'kvm' ? 'host' : 'max'],
    ...['-smp', '2', '-m', String(memory)],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', boot.commandLine],
    ...readonly(boot.root),
    ...readonly(driver),
    ...['-drive', `file=${disk},format=raw,if=virtio,cache=unsafe`],
    ...disks.flatMap(readonly),
    ...['-device', 'virtio-serial-pci'],
    ...port('trunk', TRUNK_PORT, sockets.trunk),
    ...port('bench', BENCH_PORT, sockets.bench),
    ...['-device', 'virtio-scsi-pci'],
    ...Object.entries(layers).flatMap(([serial, file], index) => [
      ...['-drive', `file=${file},format=raw,if=none,readonly=on,id=layer${index}`],
      ...['-device', `scsi-hd,drive=layer${index},serial=${serial}`],
    ]),
  ];
}
