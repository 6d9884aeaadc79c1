import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import koffi from 'koffi';
import { lastFailure, type Failure } from './failure.ts';
import { libvirt, type Connection } from './ffi.ts';

/** `id` tells the watches of one process apart; it travels through C as a pointer, so it is never 0. */
export type WatchRequest = { type: 'open'; id: number; uri: string } | { type: 'close'; id: number } | { type: 'stop' };

export type WatchMessage =
  | { type: 'opened'; id: number }
  /** The connection could not be made, or it is gone. */
  | { type: 'lost'; id: number; failure?: Failure }
  | { type: 'lifecycle'; id: number; name: string; event: number; detail: number };

interface Watch {
  connection: Connection;
  registration: number;
}

/**
 * Runs libvirt's event loop on this thread until told to stop. Node's own loop does not turn meanwhile: requests are
 * taken whenever the sender has interrupted libvirt's loop (events.ts). There may be only one such thread: libvirt's
 * loop is the process's, and its callbacks must find the thread whose JavaScript they are.
 */
export function runEventLoop(port: MessagePort): void {
  const library = libvirt();
  const watches = new Map<number, Watch>();
  const lost = new Set<number>();
  const tell = (message: WatchMessage): void => port.postMessage(message);

  const onLifecycle = koffi.register(
    (_connection: Connection, domain: bigint, event: number, detail: number, id: bigint) =>
      tell({ type: 'lifecycle', id: Number(id), name: library.virDomainGetName(domain), event, detail }),
    koffi.pointer(library.lifecycleCallback),
  );
  // A connection may not be closed from inside its callback.
  const onClose = koffi.register(
    (_connection: Connection, _reason: number, id: bigint) => void lost.add(Number(id)),
    koffi.pointer(library.closeCallback),
  );

  while (takeRequests()) {
    library.virEventRunDefaultImpl();
    for (const id of lost) {
      close(id);
      tell({ type: 'lost', id });
    }
    lost.clear();
  }
  for (const id of watches.keys()) close(id);
  koffi.unregister(onLifecycle);
  koffi.unregister(onClose);
  port.close();

  function takeRequests(): boolean {
    for (;;) {
      const request = receiveMessageOnPort(port)?.message as WatchRequest | undefined;
      if (request === undefined) return true;
      if (request.type === 'stop') return false;
      if (request.type === 'open') open(request);
      else close(request.id);
    }
  }

  function open({ id, uri }: { id: number; uri: string }): void {
    const connection = library.virConnectOpen(uri);
    if (connection === null) {
      tell({ type: 'lost', id, failure: lastFailure(`connect to libvirt \`${uri}\``, true).failure });
      return;
    }
    // Drivers without a connection, such as test:///, have nothing that can close.
    library.virConnectRegisterCloseCallback(connection, onClose, BigInt(id), null);
    const registration = library.virConnectDomainEventRegisterAny(
      connection,
      null,
      VIR_DOMAIN_EVENT_ID_LIFECYCLE,
      onLifecycle,
      BigInt(id),
      null,
    );
    watches.set(id, { connection, registration });
    if (registration >= 0) tell({ type: 'opened', id });
    else {
      const { failure } = lastFailure(`watch domains of \`${uri}\``);
      close(id);
      tell({ type: 'lost', id, failure });
    }
  }

  function close(id: number): void {
    const watch = watches.get(id);
    if (!watch) return;
    watches.delete(id);
    library.virConnectUnregisterCloseCallback(watch.connection, onClose);
    if (watch.registration >= 0) library.virConnectDomainEventDeregisterAny(watch.connection, watch.registration);
    library.virConnectClose(watch.connection);
  }
}

/** libvirt-domain.h, virDomainEventID. */
const VIR_DOMAIN_EVENT_ID_LIFECYCLE = 0;
