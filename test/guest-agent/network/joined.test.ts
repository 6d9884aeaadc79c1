import test from 'ava';
import type { Network } from '../../../guest-agent/api.ts';
import type { Container } from '../../../guest-agent/container/container.ts';
import { containerFolders, FOLDERS } from '../../../guest-agent/folders.ts';
import { etcFolder } from '../../../guest-agent/network/joined.ts';
import { shell } from '../fixture.ts';

const to = (container: string): Network => ({ mode: 'container', container });
const id = (digit: string) => digit.repeat(64);

/** By id what each is connected to; then whose files the first one has. */
const cases: [title: string, networks: Record<string, Network | undefined>, expected: string][] = [
  ['its own, with a network of its own', { a: { mode: 'none' } }, 'a'],
  ['those of the one that it joins', { a: to(id('b')), b: { mode: 'host' } }, 'b'],
  ['those of the one at the end of several joins', { a: to(id('b')), b: to(id('c')), c: { mode: 'none' } }, 'c'],
  ['its own, when the other one has those of its image', { a: to(id('b')), b: undefined }, 'a'],
  ['its own, when the one that the network was made for is gone', { a: to(id('b')), b: to(id('c')) }, 'a'],
  ['its own, when each has joined the other', { a: to(id('b')), b: to(id('a')) }, 'a'],
];
for (const [title, networks, expected] of cases)
  test(`a container finds names by files in /etc: ${title}`, (t) => {
    const specs = Object.entries(networks).map(([digit, network]) =>
      shell('true', { id: id(digit), ...(network && { network }) }),
    );
    const containers = new Map(specs.map((spec) => [spec.id, { spec } as Container]));
    const first = specs[0] ?? t.fail('a first one');
    t.is(etcFolder({ folders: FOLDERS, containers }, first), containerFolders(FOLDERS, id(expected)).etc);
  });
