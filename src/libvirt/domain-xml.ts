/** A guest as libvirt's domain XML (https://libvirt.org/formatdomain.html). Pure. */
import { xml, type Xml } from './xml.ts';
import { metadataElement } from './metadata.ts';

/** Whom QEMU runs as under a system daemon. */
export interface ProcessOwner {
  uid: number;
  gid: number;
}

export interface DomainSpec {
  name: string;
  uuid: string;
  accelerator: 'kvm' | 'tcg';
  vcpus: number;
  /** Bytes. */
  memory: number;
  boot: KernelBoot | DiskBoot;
  /** The guest's own qcow2: vdc. */
  disk: string;
  ram: Ram;
  /** File for the serial console. */
  console: string;
  /** A virtio-serial port and the unix socket on which QEMU listens for it. */
  trunk: { port: string; socket: string };
  /** Null where libvirt has no say in it: the session daemon. */
  owner: ProcessOwner | null;
  metadata: unknown;
}

/** nest's own guest image. Its squashfs images are read-only and shared by guests: vda and vdb. */
export interface KernelBoot {
  kind: 'kernel';
  kernel: string;
  initrd: string;
  commandLine: string;
  root: string;
  agent: string;
}

/** A disk that boots by itself: vda. It is a qcow2 over an image that guests share; vdb is what its cloud-init reads. */
export interface DiskBoot {
  kind: 'disk';
  system: string;
  image: string;
  seed: string;
}

/**
 * Where a guest's memory is.
 * `own`: nowhere else.
 * `captured`: in this file, which a template is made of.
 * `template`: copied from a template's file page by page, when it is written. QEMU then waits for the state of the devices.
 */
export type Ram = { kind: 'own' } | { kind: 'captured' | 'template'; file: string };

export function domainXml(spec: DomainSpec): string {
  return xml`<domain type="${spec.accelerator === 'kvm' ? 'kvm' : 'qemu'}" xmlns:qemu="${QEMU_NAMESPACE}">
  <name>${spec.name}</name>
  <uuid>${spec.uuid}</uuid>
  <genid>${spec.uuid}</genid>
  <metadata>${metadataElement(spec.metadata)}</metadata>
  <memory unit="b">${spec.memory}</memory>
  <vcpu>${spec.vcpus}</vcpu>
  <os>
    <type arch="x86_64" machine="q35">hvm</type>
    ${spec.boot.kind === 'kernel' && spec.ram.kind !== 'template' ? directBoot(spec.boot) : xml`<boot dev="hd"/>`}
  </os>
  <features><acpi/>${spec.accelerator === 'tcg' && spec.ram.kind === 'template' ? translationCache(spec.memory) : undefined}</features>
  <cpu mode="${spec.accelerator === 'kvm' ? 'host-passthrough' : 'maximum'}"/>
  <clock offset="utc"/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    ${spec.boot.kind === 'kernel' ? sharedDisk(spec.boot.root, VDA) : ownDisk(spec.boot.system, VDA, spec.boot.image)}
    ${sharedDisk(spec.boot.kind === 'kernel' ? spec.boot.agent : spec.boot.seed, VDB)}
    ${ownDisk(spec.disk, xml`<target dev="vdc" bus="virtio"/>${slot(4)}`)}
    <controller type="scsi" index="${SCSI_CONTROLLER}" model="virtio-scsi">${slot(5)}</controller>
    <controller type="virtio-serial" index="0">${slot(6)}</controller>
    <controller type="usb" model="none"/>
    <serial type="file">
      <source path="${spec.console}" append="off"/>
      <target port="0"/>
    </serial>
    <channel type="unix">
      <source mode="bind" path="${spec.trunk.socket}"/>
      <target type="virtio" name="${spec.trunk.port}"/>
    </channel>
    <rng model="virtio"><backend model="random">/dev/urandom</backend>${slot(7)}</rng>
    <memballoon model="none"/>
  </devices>
  ${spec.owner ? processOwner(spec.owner) : undefined}
  <qemu:commandline>${[...ramParameters(spec), ...(spec.boot.kind === 'disk' ? SSH_DEVICE : [])].map((value) => xml`<qemu:arg value="${value}"/>`)}</qemu:commandline>
  <qemu:capabilities><qemu:del capability="${ONE_BY_ONE}"/></qemu:capabilities>
</domain>`.markup;
}

function directBoot({ kernel, initrd, commandLine }: KernelBoot): Xml {
  return xml`<kernel>${kernel}</kernel>
    <initrd>${initrd}</initrd>
    <cmdline>${commandLine}</cmdline>`;
}

/** A disk that the guest writes. @param image what it was made over, itself a qcow2 that needs no other file */
function ownDisk(file: string, rest: Xml, image?: string): Xml {
  return xml`<disk type="file" device="disk">
      <driver name="qemu" type="qcow2" discard="unmap"/>
      <source file="${file}"/>
      ${
        image === undefined
          ? xml`<backingStore/>`
          : xml`<backingStore type="file"><format type="qcow2"/><source file="${image}"/><backingStore/></backingStore>`
      }
      ${rest}
    </disk>`;
}

/**
 * Bounds what QEMU keeps of a clone's code as translated for this processor. Left to itself it keeps up to 1 GiB, most of
 * which ran once: half of what an idle clone costs. Until its first container runs a clone has translated about 60 MiB, most
 * of it for once; a boot runs so much that it would be translated over and over.
 */
function translationCache(memory: number): Xml {
  const mebibytes = Math.min(256, Math.max(24, Math.round(memory / 32 / 2 ** 20)));
  return xml`<tcg><tb-cache unit="MiB">${mebibytes}</tb-cache></tcg>`;
}

/**
 * The guest's memory, in place of the one that libvirt gives it, which stays untouched and costs nothing. It has one name
 * in all cases, because QEMU restores memory by name: what was saved of a clone can be restored into its own definition.
 */
function ramParameters({ ram, memory }: DomainSpec): string[] {
  const file = ram.kind === 'own' ? {} : { 'mem-path': ram.file, share: ram.kind === 'captured' };
  const type = ram.kind === 'own' ? 'memory-backend-ram' : 'memory-backend-file';
  return [
    ...['-object', JSON.stringify({ 'qom-type': type, id: RAM_ID, size: memory, ...file })],
    ...['-machine', `memory-backend=${RAM_ID}`],
    ...(ram.kind === 'template' ? ['-incoming', 'defer', '-option-rom', KERNEL_LOADER] : []),
  ];
}

/**
 * What QEMU adds to a machine that boots a kernel directly (hw/i386/x86.c). A clone has it without the kernel, which would be
 * read into the memory of each QEMU for nothing.
 */
const KERNEL_LOADER = 'linuxboot_dma.bin';

/** A disk for hot-plug, known to the guest by its serial. */
export interface HotPlug {
  file: string;
  serial: string;
  /** Of the SCSI controller. */
  unit: number;
}

/** A layer: read-only, and shared by guests. */
export function layerDiskXml(layer: HotPlug): string {
  return sharedDisk(layer.file, scsiPlace(layer)).markup;
}

/**
 * A volume: one guest's where it can be written. What the guest discards is given back to the host; what a container has
 * synced is on the host's disk (QEMU's cache=writeback passes flushes on). QEMU itself opens a read-only one for reading.
 */
export function volumeDiskXml(volume: HotPlug & { readOnly: boolean }): string {
  if (volume.readOnly) return sharedDisk(volume.file, scsiPlace(volume)).markup;
  return xml`<disk type="file" device="disk">
      <driver name="qemu" type="raw" cache="writeback" discard="unmap"/>
      <source file="${volume.file}"/>
      <backingStore/>
      ${scsiPlace(volume)}
    </disk>`.markup;
}

function scsiPlace({ serial, unit }: HotPlug): Xml {
  return xml`<target dev="${scsiName(unit)}" bus="scsi"/>
      <serial>${serial}</serial>
      <address type="drive" controller="${SCSI_CONTROLLER}" bus="0" target="0" unit="${unit}"/>`;
}

/** A disk that many guests use at once. Its format is named and its backing chain is empty: nothing is ever probed. */
function sharedDisk(file: string, rest: Xml): Xml {
  return xml`<disk type="file" device="disk">
      <driver name="qemu" type="raw"/>
      <source file="${file}"/>
      <backingStore/>
      ${rest}
      <readonly/>
    </disk>`;
}

/**
 * A place on the root bus. Left to itself libvirt gives each device a PCI Express root port, each of them a bridge that
 * the guest's kernel has to walk at boot; ours are not hot-plugged and need none.
 */
function slot(number: number): Xml {
  return xml`<address type="pci" domain="0x0000" bus="0x00" slot="${number}" function="0x0"/>`;
}

/**
 * QEMU's user, named instead of chosen by libvirt, because only so libvirt leaves the owners of all files alone.
 * Otherwise it gives kernel, initrd and layers, which all guests share, to the very user that a guest is once it has
 * broken out of QEMU, and owners may change what is read-only.
 */
function processOwner({ uid, gid }: ProcessOwner): Xml {
  return xml`<seclabel type="static" model="dac" relabel="no"><label>+${uid}:+${gid}</label></seclabel>`;
}

/** sda … sdz, sdaa …: as the kernel names disks, and libvirt wants them named. */
function scsiName(unit: number): string {
  let letters = '';
  for (let rest = unit; rest >= 0; rest = Math.floor(rest / 26) - 1)
    letters = String.fromCharCode(97 + (rest % 26)) + letters;
  return `sd${letters}`;
}

const VDA = xml`<target dev="vda" bus="virtio"/>${slot(2)}`;
const VDB = xml`<target dev="vdb" bus="virtio"/>${slot(3)}`;

/**
 * A network that QEMU itself makes up, with nothing in it but the guest: it answers no guest, and lets none out
 * (qemu-system(1), `restrict=on`). Connections come in where the monitor is told to listen for one. libvirt's XML has no
 * word for it.
 */
export const SSH_NETWORK = { id: 'nest-ssh', mac: '52:54:00:6e:73:74', guest: '10.0.2.15' };
const SSH_DEVICE = [
  ...['-netdev', `user,id=${SSH_NETWORK.id},restrict=on,ipv6=off`],
  ...['-device', `virtio-net-pci,netdev=${SSH_NETWORK.id},mac=${SSH_NETWORK.mac},bus=pcie.0,addr=0x10,romfile=`],
];

/** Units of one virtio-scsi target as libvirt counts them (virDomainDeviceDriveAddress, 0 to 16383). */
export const SCSI_UNITS = 16_384;
const SCSI_CONTROLLER = 0;
export const RAM_ID = 'nest-ram';
/**
 * A QEMU that can do this is asked by libvirt for each of some hundred features of the processor on its own, which takes most
 * of a clone's start; otherwise for all at once.
 */
const ONE_BY_ONE = 'cpu-unavailable-features';
const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0';
