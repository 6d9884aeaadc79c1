import test from 'ava';
import { parseCompose } from '../../../src/deploy/compose/parse.ts';
import { groupsOf } from '../../../src/deploy/companions.ts';
import type { Project, Service } from '../../../src/deploy/model.ts';
import { NestError } from '../../../src/errors.ts';

function parse(file: string): Project {
  return parseCompose({ file, fileName: 'compose.yaml', folder: 'shop', environment: {} }).project;
}

const endpoints = ({ services }: Project, name: string) => {
  const network = services.find((service) => service.name === name)?.network;
  return network?.mode === 'networks' ? network.endpoints.map((each) => each.network) : network?.mode;
};

test('services that name no network share one, in each zone another', (t) => {
  const project = parse(`
services:
  web: { image: hello }
  api: { image: hello }
  pay: { image: hello, x-nest: { zone: bank } }
  lone: { image: hello, network_mode: none }
`);
  t.deepEqual(endpoints(project, 'web'), ['shop_default']);
  t.deepEqual(endpoints(project, 'api'), ['shop_default']);
  t.deepEqual(endpoints(project, 'pay'), ['shop_default_bank']);
  t.deepEqual(
    project.networks.map(({ name, zone }) => `${name} ${zone}`),
    ['shop_default shop', 'shop_default_bank bank'],
  );
});

test('networks of the file are joined by name, with aliases and addresses', (t) => {
  const project = parse(`
services:
  web: { image: hello, networks: [front, back] }
  db:
    image: hello
    networks:
      back: { aliases: [database], ipv4_address: 10.5.0.7 }
      other:
networks:
  front:
  back: { internal: true, driver: bridge, ipam: { config: [{ subnet: 10.5.0.0/24, gateway: 10.5.0.1 }] } }
  other: { external: true, name: there }
  unused:
`);
  t.deepEqual(endpoints(project, 'web'), ['shop_front', 'shop_back']);
  t.deepEqual(project.services[1]?.network, {
    mode: 'networks',
    endpoints: [
      { network: 'shop_back', aliases: ['db', 'database'], address: '10.5.0.7' },
      { network: 'there', aliases: ['db'], address: null },
    ],
  });
  t.deepEqual(
    project.networks.map(({ name }) => name),
    ['shop_front', 'shop_back', 'there'],
    'one that no service joins is not made, as in Compose',
  );
  t.like(project.networks[1], { internal: true, subnet: '10.5.0.0/24', gateway: '10.5.0.1' });
});

test('services that networks tie together are companions, and have one shape', (t) => {
  const project = parse(`
services:
  a: { image: hello, networks: [one] }
  b: { image: hello, networks: [one, two] }
  c: { image: hello, networks: [two], x-nest: { shape: large } }
  d: { image: hello, network_mode: "service:c" }
  e: { image: hello, networks: [three] }
networks: { one: , two: , three: }
`);
  const groups = [...groupsOf(project.services).values()].map((group) => group.map(({ name }) => name).join());
  t.deepEqual(groups, ['a,b,c,d', 'a,b,c,d', 'a,b,c,d', 'a,b,c,d', 'e']);
  t.deepEqual(
    project.services.map(({ shape }) => shape),
    ['large', 'large', 'large', 'large', null],
  );
});

test('thousands of services tied in a row are one group, found at once', (t) => {
  const count = 4000;
  const services = Array.from({ length: count }, (_, n) => `  s${n}: { image: x, networks: [n${n}, n${n + 1}] }`);
  const networks = Array.from({ length: count + 1 }, (_, n) => `  n${n}:`);
  const project = parse(['services:', ...services, 'networks:', ...networks].join('\n'));
  const groups = groupsOf(project.services);
  t.is(new Set(groups.values()).size, 1);
  t.deepEqual(
    groups.get(project.services[0] as Service)?.map(({ name }) => name),
    project.services.map(({ name }) => name),
    'in the order of the file',
  );
});

const bad: [title: string, file: string, message: RegExp][] = [
  [
    'a network that is not defined',
    'services: { a: { image: x, networks: [back] } }',
    /1:39: services\.a\.networks\[0\]: network `back` is not defined; add `networks: \{ back: \}`/,
  ],
  [
    'a network of two zones',
    'services:\n  a: { image: x, networks: [n] }\n  b: { image: x, networks: [n], x-nest: { zone: z } }\nnetworks: { n: }',
    /3:3: services\.b: shares a network, and so a guest, with `a`, but is in zone `z`, not `shop`; give both one zone/,
  ],
  [
    'a network of two shapes',
    'services:\n  a: { image: x, x-nest: { shape: small } }\n  b: { image: x, x-nest: { shape: large } }',
    /3:3: services\.b: shares a network, and so a guest, with `a`, but asks for a guest of `large`, not `small`/,
  ],
  [
    'a mode and networks',
    'services: { a: { image: x, network_mode: host, networks: [default] } }',
    /network_mode: does not go with networks/,
  ],
  [
    'the network of no service',
    'services: { a: { image: x, network_mode: "service:b" } }',
    /network_mode: there is no service `b`/,
  ],
  [
    'its own network',
    'services: { a: { image: x, network_mode: "service:a" } }',
    /`a` has no network of its own; name the service that has it/,
  ],
  ['an unknown mode', 'services: { a: { image: x, network_mode: macvlan } }', /`macvlan` is no network mode/],
  [
    'another driver',
    'services: { a: { image: x } }\nnetworks: { default: { driver: overlay } }',
    /`overlay` is no driver that nest has/,
  ],
  [
    'IPv6',
    'services: { a: { image: x } }\nnetworks: { default: { enable_ipv6: true } }',
    /enable_ipv6: `true` is no choice that nest has/,
  ],
  [
    'what Compose knows and nest does not take',
    'services: { a: { image: x, networks: { default: { mac_address: "02:42:ac:11:00:01" } } } }',
    /mac_address: not supported yet; remove the key/,
  ],
  [
    'the way to the host',
    'services: { a: { image: x, extra_hosts: ["h:host-gateway"] } }',
    /reaches nothing of the host/,
  ],
  [
    'an alias that is no name of a host',
    `services: { a: { image: x, networks: { default: { aliases: [${'a'.repeat(64)}] } } } }`,
    /is no name of a host/,
  ],
  ['a search domain that is none', 'services: { a: { image: x, dns_search: a..b } }', /`a\.\.b` is no domain/],
  ['an extra host that is none', 'services: { a: { image: x, extra_hosts: ["-h:10.5.0.7"] } }', /is not NAME:ADDRESS/],
  [
    'a subnet that begins within another',
    'services: { a: { image: x } }\nnetworks: { default: { ipam: { config: [{ subnet: 10.5.0.1/24 }] } } }',
    /subnet: `10\.5\.0\.1\/24` is no IPv4 subnet from \/8 to \/29/,
  ],
  [
    'a subnet for nobody',
    'services: { a: { image: x } }\nnetworks: { default: { ipam: { config: [{ subnet: 10.5.0.0/30 }] } } }',
    /is no IPv4 subnet from \/8 to \/29/,
  ],
  [
    'a gateway without a subnet',
    'services: { a: { image: x } }\nnetworks: { default: { ipam: { config: [{ gateway: 10.5.0.1 }] } } }',
    /networks\.default: has a gateway without a subnet/,
  ],
  [
    'an option of addresses',
    'services: { a: { image: x } }\nnetworks: { default: { ipam: { options: { a: b } } } }',
    /ipam\.options: not supported yet/,
  ],
  ['a range that ends before it begins', 'services: { a: { image: x, expose: ["9-8"] } }', /`9-8` is no port/],
];

for (const [title, file, message] of bad) {
  test(`${title} is refused with its place`, (t) => {
    const error = t.throws(() => parse(file), { instanceOf: NestError, code: 'invalid-compose' });
    t.regex(error.message, message);
  });
}
