import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import test from 'ava';
import * as v from 'valibot';
import type { Attachment, ContainerSpec, Lookup, Network } from '../../guest-agent/api.ts';
import { readAll } from '../guest-agent/client.ts';
import { type AgentGuest, openAgentGuest, program } from '../helpers/agent-guest.ts';
import { until } from '../helpers/until.ts';

/** Networks in one guest, seen from inside its containers. */
let guest: AgentGuest;

test.before(async () => {
  guest = await openAgentGuest('network');
});

test.after.always(() => guest.close());

test.serial('containers of one network have addresses of their own and find each other by name', async (t) => {
  const web = on([shop('web', 'www')], `echo hello > /index.html; ${SERVE}`, { hostname: 'web' });
  await serve(web);
  const ask = on([shop('client')], 'wget -qO- http://www/; hostname -i; cat /etc/resolv.conf; ip -4 -o addr');
  t.like(await guest.run(ask), { exitCode: 0 });
  const [page, own, ...rest] = (await guest.logs(ask.id)).split('\n');
  t.is(page, 'hello');
  t.is(own, '10.89.1.3');
  t.regex(rest.join('\n'), /^nameserver 10\.89\.1\.1$/m);
  t.regex(rest.join('\n'), /eth0 +inet 10\.89\.1\.3\/24/);

  const look = async (command: string) => {
    const container = on([shop('look')], command);
    await guest.run(container);
    const text = await guest.logs(container.id);
    await remove(container);
    return text;
  };
  t.regex(await look('nslookup WEB 10.89.1.1'), /Address: *10\.89\.1\.2/, 'in any case');
  t.regex(await look('nslookup 10.89.1.2 10.89.1.1'), /name = web/);
  t.regex(await look('nslookup nobody 10.89.1.1 2>&1'), /NXDOMAIN/);
  t.regex(await look('nslookup www.example.com 10.89.1.1 2>&1'), /REFUSED/);
  t.regex(await look('cat /sys/class/net/eth0/address'), /^02:42:0a:59:01:..\n$/);
  await remove(web, ask);
});

test.serial('networks of one guest do not reach each other, nor the guest', async (t) => {
  const shopped = on([shop('one')], SERVE);
  const banked = on([bank('two')], SERVE);
  const outside = guest.shell(`httpd -p 8888 -h /; ${SERVE}`, { network: { mode: 'host' } });
  for (const container of [shopped, banked, outside]) await serve(container);
  const addressOf = async ({ id }: ContainerSpec) => (await guest.exec(id, ['hostname', '-i'])).out.trim();
  const reaches = async (command: string) => (await guest.exec(shopped.id, ['sh', '-c', command])).state.exitCode === 0;
  t.true(await reaches(`nc -w 5 ${await addressOf(shopped)} 80 </dev/null`), 'itself');
  t.false(await reaches(`nc -w 5 ${await addressOf(banked)} 80 </dev/null`), 'by the default route');
  t.false(await reaches('timeout 5 nslookup two 10.89.2.1'), 'nor the resolver of another network');
  for (const address of ['10.89.1.1', '10.89.2.1'])
    for (const port of [80, 8888])
      t.false(await reaches(`nc -w 3 ${address} ${port} </dev/null`), `${address}:${port}`);
  await remove(shopped, banked, outside);
});

test.serial('a container of two networks reaches both and finds the names of both', async (t) => {
  const one = on([shop('one')], 'exec sleep 1000');
  const two = on([bank('two')], 'exec sleep 1000');
  for (const container of [one, two]) await guest.start(container);
  const both = on(
    [shop('both'), bank('both')],
    'for name in one two; do ping -c 1 -w 20 $name | head -2; done; ip route',
  );
  t.like(await guest.run(both), { exitCode: 0 });
  const text = await guest.logs(both.id);
  t.is(text.match(/ttl=64/g)?.length, 2, text);
  t.regex(text, /^default dev eth0/m);
  t.regex(text, /^10\.89\.2\.0\/24 dev eth1/m);
  await remove(one, two, both);
});

test.serial("none, host and another container's network", async (t) => {
  const interfaces = async (network: Network) => {
    const container = guest.shell('ls /sys/class/net; cat /etc/hosts', { network, hostname: 'modes' });
    t.like(await guest.run(container), { exitCode: 0 });
    const text = await guest.logs(container.id);
    await remove(container);
    return text.split('\n');
  };
  const none = await interfaces({ mode: 'none' });
  t.deepEqual(none.slice(0, 1), ['lo']);
  t.true(none.includes('127.0.0.1\tmodes'));
  t.deepEqual((await interfaces({ mode: 'host' })).slice(0, 1), ['lo'], 'the guest itself is on none of its networks');

  const owner = on([shop('owner')], 'httpd -p 127.0.0.1:80 -h /etc; echo ready; exec sleep 1000', {
    hostname: 'owner',
  });
  await serve(owner);
  const joined = guest.shell('wget -qO- http://127.0.0.1/hostname', {
    network: { mode: 'container', container: owner.id },
  });
  t.like(await guest.run(joined), { exitCode: 0 });
  t.is(await guest.logs(joined.id), 'owner\n');
  const middle = guest.shell('exec sleep 1000', { network: { mode: 'container', container: owner.id } });
  await guest.start(middle);
  t.is((await interfaces({ mode: 'container', container: middle.id }))[0], 'eth0', 'of one that has joined it');
  await remove(owner, joined, middle);
  const plain = guest.shell('exec sleep 1000');
  await guest.start(plain);
  const beside = await interfaces({ mode: 'container', container: plain.id });
  t.deepEqual(beside.slice(0, 1), ['lo']);
  t.true(beside.includes('127.0.0.1\tmodes'), 'its own files: the other one has those of its image');
  await remove(plain);
  const orphan = guest.shell('true', { network: { mode: 'container', container: owner.id } });
  await t.throwsAsync(guest.start(orphan), { message: /there is none with this id/ });
  await remove(orphan);
});

test.serial('a published port is reached on every kind of network', async (t) => {
  const networks: Network[] = [{ mode: 'bridge', attachments: [shop('port')] }, { mode: 'none' }, { mode: 'host' }];
  for (const [index, network] of networks.entries()) {
    const port = 7000 + index;
    const command = `echo ${network.mode} > /index.html; httpd -p ${port} -h /; echo ready; exec sleep 1000`;
    const container = guest.shell(command, { network });
    await serve(container);
    const stream = await guest.trunk.open({ method: 'POST', path: `/v1/containers/${container.id}/ports/${port}` });
    stream.end('GET /index.html HTTP/1.0\r\n\r\n');
    t.regex((await readAll(stream)).toString(), new RegExp(`\\r\\n\\r\\n${network.mode}\\n$`));
    await remove(container);
  }
});

test.serial('nothing that listens on the host can be reached from a network, nor from the guest itself', async (t) => {
  const connections: unknown[] = [];
  const server = createServer((socket) => {
    connections.push(socket.remoteAddress);
    socket.end('canary');
  }).listen(0, '::');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries?.map(({ address }) => address) ?? []);
  const others = ['10.89.1.1', '172.17.0.1', '10.0.2.2', '10.0.2.3', '169.254.169.254', 'fe80::1', 'fec0::2'];
  const addresses = [...new Set([...own, ...others])].join(' ');
  const command = `for a in ${addresses}; do nc -w 3 $a ${port} </dev/null & done; wait; echo tried`;
  for (const container of [on([shop('thief')], command), guest.shell(command, { network: { mode: 'host' } })]) {
    t.like(await guest.run(container), { exitCode: 0 });
    t.is(await guest.logs(container.id), 'tried\n');
    await remove(container);
  }
  t.deepEqual(connections, []);
});

test.serial('an agent that was killed finds its networks again, and gives no address twice', async (t) => {
  const first = on([shop('first')], 'exec sleep 1000');
  await guest.start(first);
  await guest.restartAgent();
  const second = on([shop('second')], 'ping -c 1 -w 20 first; hostname -i');
  t.like(await guest.run(second), { exitCode: 0 });
  const text = await guest.logs(second.id);
  t.regex(text, /ttl=64/);
  const { out } = await guest.exec(first.id, ['hostname', '-i']);
  t.notRegex(text, new RegExp(`^${out.trim()}$`, 'm'));
  const taken = on([{ ...shop('taken'), address: out.trim() }], 'true');
  await t.throwsAsync(guest.start(taken), { message: /it is taken/ });
  await remove(first, second);
});

test.serial('names, servers and own lines are where programs look, whatever the image has there', async (t) => {
  const lookup: Lookup = {
    hosts: [{ name: 'printer', address: '192.0.2.7' }],
    servers: ['192.0.2.53'],
    search: ['shop.example'],
    options: ['ndots:2'],
  };
  const container = on(
    [shop('etc')],
    'cat /etc/resolv.conf /etc/hostname; grep printer /etc/hosts; echo x >> /etc/hosts',
    {
      lookup,
      hostname: 'etc',
    },
  );
  t.like(await guest.run(container), { exitCode: 0 });
  t.is(
    await guest.logs(container.id),
    'nameserver 10.89.1.1\nnameserver 192.0.2.53\nsearch shop.example\noptions ndots:2\netc\n192.0.2.7\tprinter\n',
  );
  const path = `/v1/containers/${container.id}/changes`;
  t.is((await readAll(await guest.trunk.read({ method: 'GET', path }))).toString(), '', 'nothing of it is its change');
  await remove(container);
});

test.serial('subnets that overlap are refused', async (t) => {
  const container = on([shop('here')], 'exec sleep 1000');
  await guest.start(container);
  const other = on(
    [{ ...shop('there'), network: 'c'.repeat(12), subnet: '10.89.0.0/16', gateway: '10.89.0.1' }],
    'true',
  );
  await t.throwsAsync(guest.start(other), { message: /make network `c+`: network `a+` has 10\.89\.1\.0\/24/ });
  await remove(container);
});

test.serial('a container that floods the resolver with nonsense stops neither it nor the agent', async (t) => {
  const victim = on([shop('victim')], 'exec sleep 1000');
  // bash has sockets for files, and dd makes a datagram of each block.
  const layers = [guest.layer.diffId, await guest.addLayer(program('/bin/bash'))];
  const argv = ['bash', '-c', 'exec dd if=/dev/urandom bs=400 > /dev/udp/10.89.1.1/53'];
  // Emulated processors have little time: the rest is for who answers.
  const limits = { cpu: { quota: 50_000, period: 100_000 } };
  const flood = on([shop('flood')], '', { layers, argv, limits });
  for (const container of [victim, flood]) await guest.start(container);
  const sent = async () =>
    Number((await guest.exec(flood.id, ['cat', '/sys/class/net/eth0/statistics/tx_packets'])).out);
  await until('more queries than are answered', async () => (await sent()) > 1000);
  const look = on([shop('look')], 'until nslookup victim 10.89.1.1; do :; done');
  t.like(await guest.run(look), { exitCode: 0 });
  const before = await sent();
  await until('the flood to go on', async () => (await sent()) > before);
  await remove(victim, flood, look);
});

test.serial('when the last container of a network has gone nothing of the network is left', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const containers = Array.from({ length: 4 }, () => on([shop('round'), bank('round')], 'exec sleep 1000'));
    await Promise.all(containers.map((container) => guest.start(container)));
    await remove(...containers);
  }
  const all = await guest.trunk.request(
    { method: 'GET', path: '/v1/containers' },
    v.array(v.object({ id: v.string() })),
  );
  t.deepEqual(all, [], 'each test has removed its own');
  const links = () => guest.trunk.request({ method: 'GET', path: '/v1/switch' }, v.array(v.string()));
  // An end of a cable is there as long as the network namespace of its other end. Two slots wait for the next containers.
  const isSlot = (name: string) => /^v[0-9a-f]{12}$/.test(name);
  await until('the switch to be empty', async () => (await links()).every(isSlot) && (await links()).length === 2);
});

/** Says when it serves port 80. */
const SERVE = 'httpd -h /; echo ready; exec sleep 1000';

/** Starts a container that says when it is ready, and waits for that. */
async function serve(container: ContainerSpec): Promise<void> {
  await guest.start(container);
  await until('the server in a container', async () => (await guest.logs(container.id)).includes('ready'));
}

const shop = (...names: string[]): Attachment => attachment('a'.repeat(12), 1, names);
const bank = (...names: string[]): Attachment => attachment('b'.repeat(12), 2, names);

function attachment(network: string, number: number, names: string[]): Attachment {
  const subnet = `10.89.${number}.0/24`;
  return { network, subnet, gateway: `10.89.${number}.1`, internal: false, resolves: true, names };
}

function on(attachments: Attachment[], command: string, change: Partial<ContainerSpec> = {}): ContainerSpec {
  return guest.shell(command, { network: { mode: 'bridge', attachments }, ...change });
}

async function remove(...containers: ContainerSpec[]): Promise<void> {
  for (const { id } of containers) await guest.trunk.send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` });
}
