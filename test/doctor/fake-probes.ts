import { nestPaths } from '../../src/paths.ts';
import type { FileStatus, Probes } from '../../src/doctor/probes.ts';

/** A host on which everything is as it should be, but for what a test says. */
export function fakeProbes(changes: Partial<Probes> = {}): Probes {
  return {
    paths: nestPaths({}, 0),
    uid: 0,
    nodeVersion: '24.1.0',
    libvirtUri: 'qemu:///system',
    findProgram: (name) => Promise.resolve(`/usr/bin/${name}`),
    loadLibvirt: () => Promise.resolve(),
    connectLibvirt: () => Promise.resolve({ libvirt: 9_000_000, hypervisor: 7_002_022 }),
    hasInitSystem: () => Promise.resolve(false),
    isRunning: () => Promise.resolve(true),
    stat: () => Promise.resolve(stats(0o755)),
    canOpen: () => Promise.resolve(true),
    canWrite: () => Promise.resolve(true),
    groupId: () => Promise.resolve(104),
    readText: () => Promise.resolve('flags\t\t: fpu vmx sse\n'),
    list: () => Promise.resolve(['current-debian-12']),
    availableMemory: () => Promise.resolve(8 * 1024 ** 3),
    freeDisk: () => Promise.resolve(8 * 1024 ** 3),
    engineAnswers: () => Promise.resolve(true),
    run: () => Promise.reject(new Error('not in this test')),
    setOwner: () => Promise.reject(new Error('not in this test')),
    ...changes,
  };
}

/** What is asked of a file's status; /dev/kvm belongs to group 104 in these tests. */
export function stats(mode: number, gid = 104): FileStatus {
  return { mode, gid };
}
