import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Attachment, ContainerSpec, ContainerState } from '../../../guest-agent/api.ts';
import { type Clock, systemClock } from '../../../guest-agent/clock.ts';
import type { Container } from '../../../guest-agent/container/container.ts';
import { containerFolders } from '../../../guest-agent/folders.ts';
import { openNetworks } from '../../../guest-agent/network/networks.ts';
import { fakeKernel } from '../fake-kernel.ts';
import { openFixture, shell, testFolders } from '../fixture.ts';

const attachment = (change: Partial<Attachment> = {}): Attachment => ({
  network: 'a'.repeat(12),
  subnet: '10.89.1.0/24',
  gateway: '10.89.1.1',
  internal: false,
  resolves: false,
  names: ['web'],
  ...change,
});
const bank = attachment({ network: 'b'.repeat(12), subnet: '10.89.2.0/24', gateway: '10.89.2.1' });
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
  const stat = async ({ id }: ContainerSpec, path: string) =>
    (await client.ask('GET', `/v1/containers/${id}/stat?path=${path}`)) as {
      status: number;
      body: { message?: string };
    };
  for (const path of ['/etc/hosts', '/etc/hostname/', '//etc/./resolv.conf']) {
    const { status, body } = await stat(spec, path);
    t.is(status, 409, path);
    t.regex(body.message ?? '', /a file of its own is on `\/etc\/[a-z.]+`, start the container first/);
  }
  t.is((await stat(spec, '/etc')).status, 200);
  const plain = shell('true');
  await client.ask('POST', '/v1/containers', plain);
  t.false(existsSync(containerFolders(folders, plain.id).etc), 'an image keeps its own without a network');
  t.not((await stat(plain, '/etc/hosts')).status, 409);
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

test('a container that is refused leaves no network', async (t) => {
  const { clock, pass } = lingering();
  const { client } = await openFixture(t, clock);
  const bridges = async () => (await client.ask('GET', '/v1/switch')).body;
  const refused = on(attachment(), { ...bank, address: '10.89.1.9' });
  t.is((await client.ask('POST', '/v1/containers', refused)).status, 400);
  t.deepEqual(await bridges(), ['br-aaaaaaaaaaaa', 'br-bbbbbbbbbbbb']);
  pass();
  t.deepEqual(await bridges(), []);
});

test('a network that has no container any more is in no way of another one', async (t) => {
  const { client } = await openFixture(t, lingering().clock);
  const first = on(attachment());
  await client.ask('POST', '/v1/containers', first);
  await client.ask('DELETE', `/v1/containers/${first.id}`);
  const elsewhere = { subnet: '10.89.0.0/16', gateway: '10.89.0.1' };
  for (const next of [on(attachment(elsewhere)), on(attachment({ network: 'c'.repeat(12) }))]) {
    t.is((await client.ask('POST', '/v1/containers', next)).status, 201);
    await client.ask('DELETE', `/v1/containers/${next.id}`);
  }
});

test('networks that an earlier agent left are completed, or removed; one that fails stops none of the others', (t) => {
  const kernel = fakeKernel(testFolders(t).folder);
  for (const name of ['br-aaaaaaaaaaaa', 'br-bbbbbbbbbbbb', 'br-cccccccccccc']) kernel.makeBridge(name, '', 0);
  const before = kernel.interfaces();
  const completed: unknown[] = [];
  const containers = new Map(
    [on(attachment({ resolves: true })), on(bank)].map((spec) => [spec.id, { spec, state: {} } as Container]),
  );
  const networks = openNetworks(() => ({
    clock: systemClock,
    containers,
    kernel: {
      ...kernel,
      makeBridge(...all) {
        completed.push(all);
        return kernel.makeBridge(...all);
      },
      openDatagramSocket() {
        throw new Error('bind `10.89.1.1:53`: EADDRNOTAVAIL');
      },
    },
  }));
  t.teardown(() => networks.close());
  t.notThrows(() => networks.restore());
  t.deepEqual(completed, [
    ['br-aaaaaaaaaaaa', '10.89.1.1', 24],
    ['br-bbbbbbbbbbbb', '10.89.2.1', 24],
  ]);
  before.delete('br-cccccccccccc');
  t.deepEqual(kernel.interfaces(), before, 'containers may run on them');
});

/** A clock by which networks linger until it is told to `pass`. */
function lingering(): { clock: Clock; pass: () => void } {
  const due = new Set<() => void>();
  return {
    clock: {
      now: () => Date.now(),
      after(milliseconds, action) {
        if (milliseconds !== 5000) return systemClock.after(milliseconds, action);
        due.add(action);
        return () => void due.delete(action);
      },
    },
    pass: () => due.forEach((action) => action()),
  };
}
