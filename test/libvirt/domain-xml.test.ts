import { XMLParser } from 'fast-xml-parser';
import test from 'ava';
import { pluggedDisks, processOwner, reshaped } from '../../src/libvirt/description.ts';
import { domainXml, layerDiskXml, type DomainSpec } from '../../src/libvirt/domain-xml.ts';

const SPEC: DomainSpec = {
  name: 'nest-0123abcd-112233445566',
  uuid: '0b9c4f6e-7d56-4c5c-8a0e-3a2b41f0c001',
  accelerator: 'tcg',
  vcpus: 2,
  memory: 536_870_912,
  boot: {
    kind: 'kernel',
    kernel: '/images/vmlinuz',
    initrd: '/images/initrd',
    commandLine: 'console=ttyS0 quiet',
    root: '/images/root.squashfs',
    agent: '/agents/agent.squashfs',
  },
  disk: '/guests/1/disk.qcow2',
  ram: { kind: 'own' },
  console: '/guests/1/console.log',
  trunk: { port: 'nest.agent.0', socket: '/run/1.trunk' },
  owner: { uid: 64055, gid: 64056 },
  metadata: { zone: 'web' },
};

test('a guest boots the kernel directly', (t) => {
  t.like(parse(domainXml(SPEC)).os, {
    kernel: '/images/vmlinuz',
    initrd: '/images/initrd',
    cmdline: 'console=ttyS0 quiet',
  });
});

test('a stock image boots by itself, from a disk over it, and its one network lets nobody in or out', (t) => {
  const boot = {
    kind: 'disk',
    system: '/guests/1/system.qcow2',
    image: '/images/disk.qcow2',
    seed: '/seed.iso',
  } as const;
  const domain = parse(domainXml({ ...SPEC, boot }));
  t.like(domain.os, { boot: { '@dev': 'hd' }, kernel: undefined });
  const [system, seed, disk] = domain.devices.disk;
  t.like(system, {
    source: { '@file': boot.system },
    backingStore: { '@type': 'file', format: { '@type': 'qcow2' }, source: { '@file': boot.image }, backingStore: '' },
  });
  t.like(seed, { source: { '@file': boot.seed }, driver: { '@type': 'raw' }, readonly: '' });
  t.is(disk?.source['@file'], SPEC.disk);
  const args = domain['qemu:commandline']['qemu:arg'].map((each) => each['@value']);
  t.deepEqual(
    args.filter((each) => each.startsWith('user,')),
    ['user,id=nest-ssh,restrict=on,ipv6=off'],
  );
});

test('memory is in bytes', (t) => {
  t.deepEqual(parse(domainXml(SPEC)).memory, { '@unit': 'b', '#text': '536870912' });
});

test('the accelerator decides type and processor', (t) => {
  t.like(parse(domainXml(SPEC)), { '@type': 'qemu', cpu: { '@mode': 'maximum' } });
  t.like(parse(domainXml({ ...SPEC, accelerator: 'kvm' })), { '@type': 'kvm', cpu: { '@mode': 'host-passthrough' } });
});

test('memory has one name, and comes from a template privately or goes into one', (t) => {
  const ram = (spec: DomainSpec) =>
    parse(domainXml(spec))['qemu:commandline']['qemu:arg'].map((each) => each['@value']);
  const backend = (spec: DomainSpec) => JSON.parse(ram(spec)[1] ?? '') as Record<string, unknown>;
  const file = '/templates/a,b/memory';
  t.deepEqual(backend(SPEC), { 'qom-type': 'memory-backend-ram', id: 'nest-ram', size: SPEC.memory });
  for (const [kind, share] of [
    ['captured', true],
    ['template', false],
  ] as const)
    t.deepEqual(backend({ ...SPEC, ram: { kind, file } }), {
      'qom-type': 'memory-backend-file',
      id: 'nest-ram',
      size: SPEC.memory,
      'mem-path': file,
      share,
    });
  t.is(ram(SPEC)[3], 'memory-backend=nest-ram');
  t.deepEqual(ram({ ...SPEC, ram: { kind: 'template', file } }).slice(4, 6), ['-incoming', 'defer']);
});

test('a clone has what loads a kernel, and none', (t) => {
  const clone = parse(domainXml({ ...SPEC, ram: { kind: 'template', file: '/templates/1/memory' } }));
  t.like(clone.os, { boot: { '@dev': 'hd' }, kernel: undefined, initrd: undefined });
  const args = clone['qemu:commandline']['qemu:arg'].map((each) => each['@value']);
  t.deepEqual(args.slice(-2), ['-option-rom', 'linuxboot_dma.bin']);
});

test('libvirt asks for the features of the processor at once', (t) => {
  t.true(domainXml(SPEC).includes('<qemu:del capability="cpu-unavailable-features"/>'));
});

test('every disk names its format, and only the guest’s own is writable', (t) => {
  const disks = parse(domainXml(SPEC)).devices.disk.map((disk) => [
    disk.target['@dev'],
    disk.source['@file'],
    disk.driver['@type'],
    'readonly' in disk,
    'backingStore' in disk,
  ]);
  t.deepEqual(disks, [
    ['vda', '/images/root.squashfs', 'raw', true, true],
    ['vdb', '/agents/agent.squashfs', 'raw', true, true],
    ['vdc', '/guests/1/disk.qcow2', 'qcow2', false, true],
  ]);
});

test('a guest that ends is not started again', (t) => {
  t.like(parse(domainXml(SPEC)), { on_poweroff: 'destroy', on_reboot: 'destroy', on_crash: 'destroy' });
});

test('a guest has no network card, no display and no input', (t) => {
  const { devices } = parse(domainXml(SPEC));
  for (const device of ['interface', 'graphics', 'video', 'input', 'sound']) t.false(device in devices, device);
});

test('libvirt is told whom QEMU runs as, and to leave the owners of files alone', (t) => {
  t.deepEqual(parse(domainXml(SPEC)).seclabel, {
    '@type': 'static',
    '@model': 'dac',
    '@relabel': 'no',
    label: '+64055:+64056',
  });
  t.is(parse(domainXml({ ...SPEC, owner: null })).seclabel, undefined);
});

test('a definition is given another shape, and nothing else', (t) => {
  // As libvirt writes it: units of its own, and other quotes.
  const written = domainXml(SPEC)
    .replace(
      '<memory unit="b">536870912</memory>',
      "<memory unit='KiB'>524288</memory>\n<currentMemory unit='KiB'>524288</currentMemory>",
    )
    .replace('<vcpu>', "<vcpu placement='static'>")
    .replaceAll('&#34;', '&quot;');
  const domain = parse(reshaped(written, { vcpus: 3, memory: 2 ** 30 }));
  t.like(domain, {
    memory: { '@unit': 'b', '#text': '1073741824' },
    currentMemory: { '@unit': 'b', '#text': '1073741824' },
    vcpu: { '#text': '3' },
    name: SPEC.name,
  });
  t.regex(domain['qemu:commandline']['qemu:arg'][1]?.['@value'] ?? '', /"id":"nest-ram","size":1073741824}/);
  t.throws(() => reshaped('<domain/>', { vcpus: 1, memory: 1 }), { message: /reshape a domain/ });
});

test('nothing in a value becomes markup', (t) => {
  const evil = `"><disk/>'&<!--]]>`;
  const domain = parse(
    domainXml({
      ...SPEC,
      name: evil,
      boot: { ...SPEC.boot, commandLine: evil } as DomainSpec['boot'],
      disk: evil,
      metadata: { zone: evil },
    }),
  );
  t.is(domain.name, evil);
  t.is(domain.os['cmdline'], evil);
  t.is(domain.devices.disk[2]?.source['@file'], evil);
  t.deepEqual(JSON.parse(domain.metadata['nest:guest']['#text']), { zone: evil });
});

test('what XML cannot hold is refused', (t) => {
  t.throws(() => domainXml({ ...SPEC, disk: '/guests/\0' }), { message: /control character/ });
  t.throws(() => domainXml({ ...SPEC, name: '\ud800' }), { message: /control character/ });
});

for (const [unit, name] of [
  [0, 'sda'],
  [25, 'sdz'],
  [26, 'sdaa'],
  [701, 'sdzz'],
  [702, 'sdaaa'],
] as const)
  test(`layer disk ${unit} is ${name}`, (t) => {
    const text = layerDiskXml({ file: '/layers/l.squashfs', serial: 'a'.repeat(20), unit });
    t.regex(text, new RegExp(`<target dev="${name}" bus="scsi"`));
    t.regex(text, new RegExp(`unit="${unit}"`));
    t.regex(text, /<readonly\/>/);
  });

test('layer disks are found in what libvirt wrote, other disks are not', (t) => {
  const disk = (unit: string, serial: string, bus = 'scsi') =>
    `<disk type='file'><source file='/layers/${serial}'/><target dev='sda' bus='${bus}'/><serial>${serial}</serial><address type='drive' unit='${unit}'/></disk>`;
  const describe = (disks: string) => `<domain type='qemu' id='3'><devices>${disks}<rng/></devices></domain>`;
  t.deepEqual(pluggedDisks(describe(disk('0', '00000000000000000012') + disk('7', 'ff') + disk('9', 'aa', 'virtio'))), [
    { file: '/layers/00000000000000000012', serial: '00000000000000000012', unit: 0, readOnly: false },
    { file: '/layers/ff', serial: 'ff', unit: 7, readOnly: false },
  ]);
  t.deepEqual(pluggedDisks(describe('')), []);
});

test('the owner of QEMU processes is read from the capabilities', (t) => {
  const models = (text: string) => `<capabilities><host><uuid>1</uuid>${text}</host></capabilities>`;
  const dac = `<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+107</baselabel><baselabel type='qemu'>+64055:+107</baselabel></secmodel>`;
  t.deepEqual(processOwner(models(`<secmodel><model>none</model></secmodel>${dac}`)), { uid: 64055, gid: 107 });
  t.deepEqual(processOwner(models(dac)), { uid: 64055, gid: 107 });
  t.is(processOwner(models('<secmodel><model>none</model><doi>0</doi></secmodel>')), null);
  t.is(processOwner(models('')), null);
});

interface Parsed {
  'qemu:commandline': { 'qemu:arg': { '@value': string }[] };
  name: string;
  memory: unknown;
  os: Record<string, unknown>;
  seclabel?: unknown;
  metadata: { 'nest:guest': { '#text': string } };
  devices: {
    disk: { target: { '@dev': string }; source: { '@file': string }; driver: { '@type': string } }[];
  };
}

function parse(text: string): Parsed {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    trimValues: false,
    htmlEntities: true,
  });
  return (parser.parse(text.replace(/>\s+</g, '><')) as { domain: Parsed }).domain;
}
