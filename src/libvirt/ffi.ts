import koffi, { type LibraryHandle } from 'koffi';
import { NestError } from '../errors.ts';

/** An address: koffi gives them as bigints, and NULL as null. */
export type Pointer = bigint;
/** A virConnectPtr. Its references are given back with virConnectClose. */
export type Connection = bigint;
/** A virDomainPtr. Every function that returns one hands over a reference, given back with virDomainFree. */
export type Domain = bigint;
/** koffi writes an out parameter into the array's only element. */
type Out<T> = [T];

export type Library = ReturnType<typeof bind>;

/** libvirt's functions, bound for this thread at first use. The C library and its state are the process's. */
export function libvirt(): Library {
  bound ??= bind();
  return bound;
}

let bound: Library | undefined;

/**
 * Before the first connection, and harmless again: an event loop, which connections look for when they open, and no
 * errors on stderr.
 */
export function prepareLibrary(): void {
  const library = libvirt();
  library.virInitialize();
  // The handler is called as (NULL, error) on whichever thread failed, so it cannot be JavaScript. A NULL handler would
  // print; virResetError(NULL) does nothing.
  library.virSetErrorFunc(null, library.address.virResetError);
  library.virEventRegisterDefaultImpl();
}

/**
 * Prototypes as in libvirt's headers (/usr/include/libvirt). `str!` is a char * that the caller frees, which koffi does
 * once it has copied the text; plain `str` stays libvirt's. `unsigned long` is 64 bits wide; versions are far below 2^53.
 */
function bind() {
  const host = load('libvirt.so.0');
  const qemu = load('libvirt-qemu.so.0');
  for (const name of ['virConnectPtr', 'virDomainPtr', 'virErrorPtr']) koffi.pointer(name, koffi.opaque());

  return {
    // libvirt-host.h
    virInitialize: fn<() => number>(host, 'int virInitialize()'),
    virConnectOpen: fn<(uri: string) => Connection | null>(host, 'virConnectPtr virConnectOpen(str name)'),
    virConnectClose: fn<(connection: Connection) => number>(host, 'int virConnectClose(virConnectPtr conn)'),
    virConnectIsAlive: fn<(connection: Connection) => number>(host, 'int virConnectIsAlive(virConnectPtr conn)'),
    virConnectGetVersion: fn<(connection: Connection, version: Out<number>) => number>(
      host,
      'int virConnectGetVersion(virConnectPtr conn, _Out_ unsigned long *hvVer)',
    ),
    virConnectGetLibVersion: fn<(connection: Connection, version: Out<number>) => number>(
      host,
      'int virConnectGetLibVersion(virConnectPtr conn, _Out_ unsigned long *libVer)',
    ),
    virConnectGetCapabilities: fn<(connection: Connection) => string | null>(
      host,
      'str! virConnectGetCapabilities(virConnectPtr conn)',
    ),
    /** `data` comes back in the callback, closeCallback; libvirt never looks at it. */
    virConnectRegisterCloseCallback: fn<
      (connection: Connection, callback: Pointer, data: Pointer, free: null) => number
    >(host, 'int virConnectRegisterCloseCallback(virConnectPtr conn, void *cb, void *opaque, void *freecb)'),
    virConnectUnregisterCloseCallback: fn<(connection: Connection, callback: Pointer) => number>(
      host,
      'int virConnectUnregisterCloseCallback(virConnectPtr conn, void *cb)',
    ),

    // libvirt-domain.h
    /** `domains` receives an array that the caller frees, with one reference per domain. */
    virConnectListAllDomains: fn<(connection: Connection, domains: Out<Pointer | null>, flags: number) => number>(
      host,
      'int virConnectListAllDomains(virConnectPtr conn, _Out_ void **domains, unsigned int flags)',
    ),
    virDomainLookupByName: fn<(connection: Connection, name: string) => Domain | null>(
      host,
      'virDomainPtr virDomainLookupByName(virConnectPtr conn, str name)',
    ),
    virDomainDefineXMLFlags: fn<(connection: Connection, xml: string, flags: number) => Domain | null>(
      host,
      'virDomainPtr virDomainDefineXMLFlags(virConnectPtr conn, str xml, unsigned int flags)',
    ),
    virDomainFree: fn<(domain: Domain) => number>(host, 'int virDomainFree(virDomainPtr domain)'),
    virDomainUndefineFlags: fn<(domain: Domain, flags: number) => number>(
      host,
      'int virDomainUndefineFlags(virDomainPtr domain, unsigned int flags)',
    ),
    virDomainCreate: fn<(domain: Domain) => number>(host, 'int virDomainCreate(virDomainPtr domain)'),
    virDomainCreateXML: fn<(connection: Connection, xml: string, flags: number) => Domain | null>(
      host,
      'virDomainPtr virDomainCreateXML(virConnectPtr conn, str xmlDesc, unsigned int flags)',
    ),
    virDomainDestroy: fn<(domain: Domain) => number>(host, 'int virDomainDestroy(virDomainPtr domain)'),
    virDomainSuspend: fn<(domain: Domain) => number>(host, 'int virDomainSuspend(virDomainPtr domain)'),
    virDomainResume: fn<(domain: Domain) => number>(host, 'int virDomainResume(virDomainPtr domain)'),
    /** `info` has room for a virDomainInfo, 40 bytes on 64-bit machines. */
    virDomainGetInfo: fn<(domain: Domain, info: Buffer) => number>(
      host,
      'int virDomainGetInfo(virDomainPtr domain, void *info)',
    ),
    virDomainGetName: fn<(domain: Domain) => string>(host, 'str virDomainGetName(virDomainPtr domain)'),
    /** `buf` has room for VIR_UUID_STRING_BUFLEN, 37 bytes. */
    virDomainGetUUIDString: fn<(domain: Domain, buf: Buffer) => number>(
      host,
      'int virDomainGetUUIDString(virDomainPtr domain, void *buf)',
    ),
    virDomainGetState: fn<(domain: Domain, state: Out<number>, reason: Out<number>, flags: number) => number>(
      host,
      'int virDomainGetState(virDomainPtr domain, _Out_ int *state, _Out_ int *reason, unsigned int flags)',
    ),
    virDomainIsActive: fn<(domain: Domain) => number>(host, 'int virDomainIsActive(virDomainPtr dom)'),
    virDomainGetXMLDesc: fn<(domain: Domain, flags: number) => string | null>(
      host,
      'str! virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)',
    ),
    virDomainAttachDeviceFlags: fn<(domain: Domain, xml: string, flags: number) => number>(
      host,
      'int virDomainAttachDeviceFlags(virDomainPtr domain, str xml, unsigned int flags)',
    ),
    virDomainDetachDeviceFlags: fn<(domain: Domain, xml: string, flags: number) => number>(
      host,
      'int virDomainDetachDeviceFlags(virDomainPtr domain, str xml, unsigned int flags)',
    ),
    virDomainGetMetadata: fn<(domain: Domain, type: number, uri: string, flags: number) => string | null>(
      host,
      'str! virDomainGetMetadata(virDomainPtr domain, int type, str uri, unsigned int flags)',
    ),
    virDomainSetMetadata: fn<
      (domain: Domain, type: number, xml: string, prefix: string, uri: string, flags: number) => number
    >(
      host,
      'int virDomainSetMetadata(virDomainPtr domain, int type, str metadata, str key, str uri, unsigned int flags)',
    ),
    /** `callback` for VIR_DOMAIN_EVENT_ID_LIFECYCLE is a lifecycleCallback. Returns the registration's id. */
    virConnectDomainEventRegisterAny: fn<
      (connection: Connection, domain: null, event: number, callback: Pointer, data: Pointer, free: null) => number
    >(
      host,
      'int virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr dom, int eventID, void *cb, void *opaque, void *freecb)',
    ),
    virConnectDomainEventDeregisterAny: fn<(connection: Connection, id: number) => number>(
      host,
      'int virConnectDomainEventDeregisterAny(virConnectPtr conn, int callbackID)',
    ),

    // libvirt-qemu.h
    /** `result` receives text that the caller frees. */
    virDomainQemuMonitorCommand: fn<
      (domain: Domain, command: string, result: Out<Pointer | null>, flags: number) => number
    >(qemu, 'int virDomainQemuMonitorCommand(virDomainPtr domain, str cmd, _Out_ void **result, unsigned int flags)'),

    /** Passes the descriptors in `files` along with the command. Since libvirt 8.2. */
    virDomainQemuMonitorCommandWithFiles: fn<
      (
        domain: Domain,
        command: string,
        count: number,
        files: Int32Array,
        outCount: null,
        outFiles: null,
        result: Out<Pointer | null>,
        flags: number,
      ) => number
    >(
      qemu,
      'int virDomainQemuMonitorCommandWithFiles(virDomainPtr domain, str cmd, unsigned int ninfiles, int *infiles, unsigned int *noutfiles, int **outfiles, _Out_ void **result, unsigned int flags)',
    ),

    // virterror.h
    /** The calling thread's; libvirt's memory, valid until the thread's next call. */
    virGetLastError: fn<() => Pointer | null>(host, 'virErrorPtr virGetLastError()'),
    virSetErrorFunc: fn<(data: null, handler: Pointer) => void>(
      host,
      'void virSetErrorFunc(void *userData, void *handler)',
    ),

    // libvirt-event.h
    virEventRegisterDefaultImpl: fn<() => number>(host, 'int virEventRegisterDefaultImpl()'),
    virEventRunDefaultImpl: fn<() => number>(host, 'int virEventRunDefaultImpl()'),
    virEventAddTimeout: fn<(milliseconds: number, callback: Pointer, data: null, free: null) => number>(
      host,
      'int virEventAddTimeout(int frequency, void *cb, void *opaque, void *ff)',
    ),

    /** Functions that are passed to others, not called. */
    address: {
      virResetError: host.symbol('virResetError') as Pointer,
      virEventRemoveTimeout: host.symbol('virEventRemoveTimeout') as Pointer,
    },
    lifecycleCallback: koffi.proto(
      'void lifecycleCallback(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *opaque)',
    ),
    closeCallback: koffi.proto('void closeCallback(virConnectPtr conn, int reason, void *opaque)'),
    /** virterror.h, struct _virError: the fields up to the message; libvirt only ever appends to it. */
    error: koffi.struct('virError', { code: 'int', domain: 'int', message: 'str' }),
  };
}

/** The caller vouches for `F`: it must say what the prototype says. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
function fn<F>(library: LibraryHandle, prototype: string): F {
  return library.func(prototype) as F;
}

function load(name: string): LibraryHandle {
  try {
    return koffi.load(name);
  } catch (error) {
    throw new NestError('libvirt-unavailable', `load \`${name}\`: libvirt is not installed`, {
      hint: 'Install it: apt-get install libvirt-daemon-system libvirt-clients',
      cause: error,
    });
  }
}
