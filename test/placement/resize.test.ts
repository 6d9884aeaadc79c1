import test from 'ava';
import { HOST_RESERVE } from '../../src/placement/place.ts';
import { checkResize } from '../../src/placement/resize.ts';

const MIB = 1024 * 1024;
const guest = { name: 'web-1', memory: 1024 * MIB, committed: 300 * MIB };
const host = { memoryAvailable: 2048 * MIB, cpus: 4, reserve: HOST_RESERVE };
const ask = (vcpus: number, mebibytes: number, widest = 1) => ({
  shape: { vcpus, memory: mebibytes * MIB },
  widest,
  host,
});

test('a guest may become as small as its containers are, and as large as the host has room', (t) => {
  t.notThrows(() => checkResize(guest, ask(1, 492)));
  t.notThrows(() => checkResize(guest, ask(4, 1024 + 1536)));
});

const refusals: [title: string, request: ReturnType<typeof ask>, message: RegExp][] = [
  ['containers would not fit', ask(1, 491), /its containers need 492 MiB with kernel and agent, 491 MiB asked$/],
  ['a container may use more processors', ask(1, 1024, 2), /one of its containers may use 2 CPUs, 1 asked$/],
  ['the host has fewer processors', ask(5, 1024), /5 processors asked, the host has 4$/],
  ['the host has no room', ask(2, 2561), /1537 MiB more asked, the host has 2048 MiB and keeps 512 MiB free$/],
];
for (const [title, request, message] of refusals)
  test(`not where ${title}`, (t) => {
    t.throws(() => checkResize(guest, request), { code: 'no-room', message });
  });
