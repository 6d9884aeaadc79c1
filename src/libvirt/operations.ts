/**
 * What the engine asks of libvirt, as synchronous functions for the thread that owns the connection (serve.ts). All throw
 * LibvirtError. "Already so" is success where that was the goal.
 */
import koffi from 'koffi';
import {
  lastFailure,
  LibvirtError,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_NO_DOMAIN_METADATA,
  VIR_ERR_OPERATION_INVALID,
} from './failure.ts';
import { libvirt, type Connection, type Domain, type Pointer } from './ffi.ts';

/** virDomainState. `crashed` has ended unless the domain asks to be preserved; nest's never do. */
export type DomainState =
  'nostate' | 'running' | 'blocked' | 'paused' | 'shutdown' | 'shutoff' | 'crashed' | 'pmsuspended';

export interface DomainSummary {
  name: string;
  uuid: string;
  active: boolean;
  state: DomainState;
  /** It does not run because its guest has turned the machine off, in good order. */
  turnedOff: boolean;
}

export type Operations = typeof operations;

export const operations = {
  /** Of the hypervisor and of libvirtd: major * 1,000,000 + minor * 1,000 + release. */
  version(connection: Connection): { hypervisor: number; libvirt: number } {
    const hypervisor: [number] = [0];
    const library: [number] = [0];
    check(libvirt().virConnectGetVersion(connection, hypervisor), 'ask for the hypervisor version');
    check(libvirt().virConnectGetLibVersion(connection, library), 'ask for the libvirt version');
    return { hypervisor: hypervisor[0], libvirt: library[0] };
  },

  capabilities(connection: Connection): string {
    return found(libvirt().virConnectGetCapabilities(connection), 'ask for capabilities');
  },

  list(connection: Connection): DomainSummary[] {
    const array: [Pointer | null] = [null];
    const count = check(libvirt().virConnectListAllDomains(connection, array, 0), 'list domains');
    if (array[0] === null) return [];
    const domains = koffi.decode(array[0], 'virDomainPtr', count) as Domain[];
    koffi.free(array[0]);
    try {
      return domains.flatMap((domain) => summaryIfAny(domain) ?? []);
    } finally {
      for (const domain of domains) libvirt().virDomainFree(domain);
    }
  },

  lookup(connection: Connection, name: string): DomainSummary | undefined {
    return withDomainIfAny(connection, name, `look up domain \`${name}\``, summary);
  },

  /** Persistent, not started. A domain of the same name and UUID is replaced. */
  define(connection: Connection, xml: string): DomainSummary {
    const domain = found(
      libvirt().virDomainDefineXMLFlags(connection, xml, VIR_DOMAIN_DEFINE_VALIDATE),
      'define domain',
    );
    try {
      return summary(domain);
    } finally {
      libvirt().virDomainFree(domain);
    }
  },

  start(connection: Connection, name: string): void {
    const operation = `start domain \`${name}\``;
    withDomain(connection, name, operation, (domain) => check(libvirt().virDomainCreate(domain), operation));
  },

  /**
   * Starts QEMU as `xml` says, with its processors stopped. A persistent domain of the same name and UUID keeps its own
   * definition, from which `start` starts it once this QEMU has ended. The XML is not compared with libvirt's schema, which is
   * read anew each time: `define` does that, when nobody waits.
   */
  startPaused(connection: Connection, xml: string): void {
    const domain = found(libvirt().virDomainCreateXML(connection, xml, VIR_DOMAIN_START_PAUSED), 'start domain');
    libvirt().virDomainFree(domain);
  },

  /** Ends its QEMU at once. */
  destroy(connection: Connection, name: string): void {
    const operation = `destroy domain \`${name}\``;
    withDomainIfAny(connection, name, operation, (domain) =>
      check(libvirt().virDomainDestroy(domain), operation, VIR_ERR_OPERATION_INVALID),
    );
  },

  /** Stops its processors; its memory stays. */
  suspend(connection: Connection, name: string): void {
    const operation = `pause domain \`${name}\``;
    withDomain(connection, name, operation, (domain) => check(libvirt().virDomainSuspend(domain), operation));
  },

  resume(connection: Connection, name: string): void {
    const operation = `resume domain \`${name}\``;
    withDomain(connection, name, operation, (domain) => check(libvirt().virDomainResume(domain), operation));
  },

  /** Nanoseconds that its QEMU has run so far; undefined when there is no such domain. Does not ask QEMU itself. */
  cpuTime(connection: Connection, name: string): bigint | undefined {
    const operation = `ask for the processor time of domain \`${name}\``;
    return withDomainIfAny(connection, name, operation, (domain) => {
      const info = Buffer.alloc(VIR_DOMAIN_INFO_SIZE);
      check(libvirt().virDomainGetInfo(domain, info), operation);
      return info.readBigUInt64LE(VIR_DOMAIN_INFO_CPU_TIME);
    });
  },

  undefine(connection: Connection, name: string): void {
    const operation = `undefine domain \`${name}\``;
    withDomainIfAny(connection, name, operation, (domain) =>
      check(libvirt().virDomainUndefineFlags(domain, UNDEFINE_FLAGS), operation),
    );
  },

  /** The live domain's XML while it runs. */
  describe(connection: Connection, name: string): string {
    const operation = `describe domain \`${name}\``;
    return withDomain(connection, name, operation, (domain) =>
      found(libvirt().virDomainGetXMLDesc(domain, 0), operation),
    );
  },

  /** The XML that it is started from. */
  definition(connection: Connection, name: string): string {
    const operation = `describe domain \`${name}\``;
    return withDomain(connection, name, operation, (domain) =>
      found(libvirt().virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE), operation),
    );
  },

  attachDevice(connection: Connection, name: string, xml: string): void {
    const operation = `attach device to domain \`${name}\``;
    withDomain(connection, name, operation, (domain) =>
      check(libvirt().virDomainAttachDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE), operation),
    );
  },

  /** A SCSI disk leaves at once: QEMU asks no guest for it. */
  detachDevice(connection: Connection, name: string, xml: string): void {
    const operation = `detach device from domain \`${name}\``;
    withDomain(connection, name, operation, (domain) =>
      check(libvirt().virDomainDetachDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE), operation),
    );
  },

  /** The element that was set under this namespace, as XML. */
  metadata(connection: Connection, name: string, uri: string): string | undefined {
    const operation = `read metadata of domain \`${name}\``;
    return withDomainIfAny(connection, name, operation, (domain) => {
      const xml = libvirt().virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, uri, 0);
      if (xml !== null) return xml;
      const error = lastFailure(operation);
      if (error.failure.code === VIR_ERR_NO_DOMAIN_METADATA) return undefined;
      throw error;
    });
  },

  /** Replaces the element of this namespace, in the persistent definition and in the running domain. */
  setMetadata(connection: Connection, name: string, element: { xml: string; prefix: string; uri: string }): void {
    const operation = `write metadata of domain \`${name}\``;
    withDomain(connection, name, operation, (domain) => {
      const flags = VIR_DOMAIN_AFFECT_CONFIG | (libvirt().virDomainIsActive(domain) === 1 ? VIR_DOMAIN_AFFECT_LIVE : 0);
      const { xml, prefix, uri } = element;
      check(libvirt().virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, prefix, uri, flags), operation);
    });
  },

  /**
   * One QMP command as JSON (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html); the reply as JSON.
   *
   * @param files descriptors of this process that go along, for `getfd`
   */
  monitorCommand(connection: Connection, name: string, command: string, files: number[] = []): string {
    const operation = `send monitor command to domain \`${name}\``;
    return withDomain(connection, name, operation, (domain) => {
      const reply: [Pointer | null] = [null];
      const result =
        files.length === 0
          ? libvirt().virDomainQemuMonitorCommand(domain, command, reply, 0)
          : libvirt().virDomainQemuMonitorCommandWithFiles(
              domain,
              command,
              files.length,
              Int32Array.from(files),
              null,
              null,
              reply,
              0,
            );
      check(result, operation);
      if (reply[0] === null) throw lastFailure(operation);
      const text = koffi.decode.string(reply[0]);
      koffi.free(reply[0]);
      return text;
    });
  },
};

function summary(domain: Domain): DomainSummary {
  const name = libvirt().virDomainGetName(domain);
  const uuid = Buffer.alloc(VIR_UUID_STRING_BUFLEN);
  const state: [number] = [0];
  const reason: [number] = [0];
  check(libvirt().virDomainGetUUIDString(domain, uuid), `ask for the UUID of domain \`${name}\``);
  check(libvirt().virDomainGetState(domain, state, reason, 0), `ask for the state of domain \`${name}\``);
  return {
    name,
    uuid: uuid.toString('latin1', 0, VIR_UUID_STRING_BUFLEN - 1),
    active: libvirt().virDomainIsActive(domain) === 1,
    state: STATES[state[0]] ?? 'nostate',
    turnedOff: STATES[state[0]] === 'shutoff' && reason[0] === VIR_DOMAIN_SHUTOFF_SHUTDOWN,
  };
}

/** Undefined for one that somebody has removed since it was listed. */
function summaryIfAny(domain: Domain): DomainSummary | undefined {
  try {
    return summary(domain);
  } catch (error) {
    if (error instanceof LibvirtError && error.failure.code === VIR_ERR_NO_DOMAIN) return undefined;
    throw error;
  }
}

function withDomain<T>(connection: Connection, name: string, operation: string, use: (domain: Domain) => T): T {
  const domain = found(libvirt().virDomainLookupByName(connection, name), operation);
  try {
    return use(domain);
  } finally {
    libvirt().virDomainFree(domain);
  }
}

function withDomainIfAny<T>(
  connection: Connection,
  name: string,
  operation: string,
  use: (domain: Domain) => T,
): T | undefined {
  const domain = libvirt().virDomainLookupByName(connection, name);
  if (domain === null) {
    const error = lastFailure(operation);
    if (error.failure.code === VIR_ERR_NO_DOMAIN) return undefined;
    throw error;
  }
  try {
    return use(domain);
  } catch (error) {
    // It was transient, or somebody else removed it meanwhile.
    if (error instanceof LibvirtError && error.failure.code === VIR_ERR_NO_DOMAIN) return undefined;
    throw error;
  } finally {
    libvirt().virDomainFree(domain);
  }
}

/** Libvirt's way to fail: a negative number. */
function check(result: number, operation: string, harmless?: number): number {
  if (result >= 0) return result;
  const error = lastFailure(operation);
  if (error.failure.code === harmless) return 0;
  throw error;
}

/** Libvirt's other way to fail: NULL. */
function found<T>(result: T | null, operation: string): T {
  if (result === null) throw lastFailure(operation);
  return result;
}

/** libvirt-domain.h. */
const VIR_DOMAIN_DEFINE_VALIDATE = 1;
const VIR_DOMAIN_START_PAUSED = 1;
const VIR_DOMAIN_XML_INACTIVE = 2;
const VIR_DOMAIN_AFFECT_LIVE = 1;
const VIR_DOMAIN_AFFECT_CONFIG = 2;
const VIR_DOMAIN_METADATA_ELEMENT = 2;
const VIR_UUID_STRING_BUFLEN = 37;
/** virDomainShutoffReason. */
const VIR_DOMAIN_SHUTOFF_SHUTDOWN = 1;
/** struct _virDomainInfo: state, maxMem, memory, nrVirtCpu, cpuTime. */
const VIR_DOMAIN_INFO_SIZE = 40;
const VIR_DOMAIN_INFO_CPU_TIME = 32;
/** VIR_DOMAIN_UNDEFINE_MANAGED_SAVE and _SNAPSHOTS_METADATA: what somebody may have added by hand would be refused otherwise. */
const UNDEFINE_FLAGS = 1 | 2;

/** virDomainState, in its order. */
const STATES: DomainState[] = [
  'nostate',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pmsuspended',
];
