import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Attachment, ContainerSpec, ContainerState } from '../../../guest-agent/api.ts';
import { containerFolders } from '../../../guest-agent/folders.ts';
import { openFixture, shell } from '../fixture.ts';

const attachment = (change: Partial<Attachment> = {}): Attachment => ({
  network: 'a'.repeat(12),
  subnet: '10.89.1.0/24',
  gateway: '10.89.1.1',
  internal: false,
  resolves: false,
  names: ['web'],
  ...change,
});
const on = (...attachments: Attachment[]): ContainerSpec =>
  shell('true', { network: { mode: 'bridge', attachments }, hostname: 'web' });

test('a container has its addresses from its making to its removal', async (t) => {
  const { client } = await openFixture(t);
  const [first, second] = [on(attachment()), on(attachment())];
  const create = async (spec: ContainerSpec) =>
    (await client.ask('POST', '/v1/containers', spec)).body as ContainerState;
  t.deepEqual((await create(first)).addresses, { aaaaaaaaaaaa: '10.89.1.2' });
  t.deepEqual((await create(second)).addresses, { aaaaaaaaaaaa: '10.89.1.3' });
  t.deepEqual((await client.ask('GET', '/v1/switch')).body, ['br-aaaaaaaaaaaa']);
  await client.ask('DELETE', `/v1/containers/${first.id}`);
  t.like(await create(on(attachment({ address: '10.89.1.2' }))), { addresses: { aaaaaaaaaaaa: '10.89.1.2' } });
  const taken = await client.ask('POST', '/v1/containers', on(attachment({ address: '10.89.1.3' })));
  t.is(taken.status, 409);
});

test('its own files in /etc say who it is and whom it may ask', async (t) => {
  const { client, folders } = await openFixture(t);
  const spec = on(attachment({ resolves: true }));
  await client.ask('POST', '/v1/containers', spec);
  const file = (name: string) => readFileSync(join(containerFolders(folders, spec.id).etc, name), 'utf8');
  t.is(file('hostname'), 'web\n');
  t.regex(file('hosts'), /^127\.0\.0\.1\tlocalhost\n(.*\n)*10\.89\.1\.2\tweb\n$/);
  t.is(file('resolv.conf'), 'nameserver 10.89.1.1\n');
  const plain = shell('true');
  await client.ask('POST', '/v1/containers', plain);
  t.false(existsSync(containerFolders(folders, plain.id).etc), 'an image keeps its own without a network');
});

test('networks that contradict each other, and what is no network, are refused', async (t) => {
  const { client } = await openFixture(t);
  const ask = async (spec: ContainerSpec) => (await client.ask('POST', '/v1/containers', spec)).status;
  t.is(await ask(on(attachment())), 201);
  t.is(await ask(on(attachment({ subnet: '10.89.2.0/24', gateway: '10.89.2.1' }))), 409);
  t.is(await ask(on(attachment({ network: 'b'.repeat(12), subnet: '10.89.0.0/16' }))), 409);
  t.is(await ask(on(attachment(), attachment())), 400);
  for (const change of [
    { subnet: '10.89.1.7/24' },
    { gateway: '10.1.1.1' },
    { names: ['a b'] },
    { subnet: '1.0.0.0/30' },
  ])
    t.is(await ask(on(attachment(change))), 400, JSON.stringify(change));
});
