import { closeSync, existsSync, openSync } from 'node:fs';
import { writeSysctl } from '../security/sysctl.ts';
import {
  AF_INET,
  CLONE_NEWNET,
  MS_BIND,
  O_CLOEXEC,
  O_RDONLY,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';
import { addressBytes } from './ipv4.ts';
import { addAddress, listLinks, makeBridge, parseLink, removeLink, turnOn } from './links.ts';
import { macOf } from './mac.ts';
import { transact } from './netlink.ts';
import { openNetlink } from './wiring.ts';

/**
 * The guest's switch: a network namespace that has the bridges of all its networks and nothing else. Bridges have no way
 * to each other, since this namespace forwards nothing, and no way to the guest, whose own interfaces are elsewhere. What
 * answers here is the resolver of each network.
 */
export interface Switch {
  /** Index by name of all its interfaces: bridges, and the ends of cables. */
  interfaces(): Map<string, number>;
  /** One of this name that is there is completed: an agent may end when it has half made one. @returns its index */
  makeBridge(name: string, address: string, prefix: number): number;
  /** With its ports, that lead nowhere from then on. Removing an absent one succeeds. */
  removeBridge(name: string): void;
  /** A UDP socket on the bridge's address that hears its network alone. */
  openDatagramSocket(bridge: string, address: string, port: number): number;
  /** What these addresses, and no others, send to the socket is dropped before it takes room in its queue. */
  ignore(socket: number, addresses: string[]): void;
}

/** Finds the switch that an earlier agent of this boot made, or makes it. @param file that stands for it */
export function openSwitch(sys: Sys, file: string): Switch {
  const own = sys.open('/proc/self/ns/net', O_RDONLY | O_CLOEXEC);
  const inside = <T>(action: () => T): T => {
    // Only this thread moves, and nothing else runs on it until it is back.
    sys.setns(namespace, CLONE_NEWNET);
    try {
      return action();
    } finally {
      sys.setns(own, CLONE_NEWNET);
    }
  };
  const namespace = findNamespace(sys, file) ?? makeNamespace(sys, file, own);
  const socket = inside(() => openNetlink(sys));
  const interfaces = () =>
    new Map(
      transact(sys, socket, [listLinks()])
        .map(parseLink)
        .filter(({ index }) => index !== LOOPBACK)
        .map(({ name, index }) => [name, index]),
    );
  return {
    interfaces,
    makeBridge(name, address, prefix) {
      unless(['EEXIST'], () => transact(sys, socket, [makeBridge(name, macOf(address))]));
      const index = interfaces().get(name) ?? 0;
      unless(['EEXIST'], () => transact(sys, socket, [addAddress(index, address, prefix)]));
      return index;
    },
    removeBridge: (name) => void unless(['ENODEV'], () => transact(sys, socket, [removeLink(name)])),
    openDatagramSocket: (bridge, address, port) =>
      inside(() => {
        const datagrams = sys.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
        try {
          sys.bindToDevice(datagrams, bridge);
          sys.bindInet(datagrams, addressBytes(address), port);
          return datagrams;
        } catch (error) {
          sys.close(datagrams);
          throw error;
        }
      }),
    ignore: (datagrams, addresses) => sys.ignoreSenders(datagrams, addresses.map(addressBytes)),
  };
}

export const bridgeName = (network: string) => `${BRIDGE_PREFIX}${network.slice(0, 12)}`;

export const isBridge = (name: string) => name.startsWith(BRIDGE_PREFIX);

/** The file is one until a namespace was mounted on it. */
function findNamespace(sys: Sys, file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const found = sys.open(file, O_RDONLY | O_CLOEXEC);
  if (sys.fileSystem(found) === NSFS_MAGIC) return found;
  sys.close(found);
  return undefined;
}

function makeNamespace(sys: Sys, file: string, own: number): number {
  closeSync(openSync(file, 'a', 0o600));
  sys.unshare(CLONE_NEWNET);
  try {
    writeSysctl(sys, 'net/ipv4/ip_forward', '0');
    // Who asks for the address of another network's bridge gets no answer.
    writeSysctl(sys, 'net/ipv4/conf/all/arp_ignore', '1');
    unless(['ENOENT'], () => writeSysctl(sys, 'net/ipv6/conf/default/disable_ipv6', '1'));
    const netlink = openNetlink(sys);
    transact(sys, netlink, [turnOn(LOOPBACK)]);
    sys.close(netlink);
    sys.mount('/proc/thread-self/ns/net', file, null, MS_BIND, null);
    return sys.open(file, O_RDONLY | O_CLOEXEC);
  } finally {
    sys.setns(own, CLONE_NEWNET);
  }
}

const LOOPBACK = 1;
const BRIDGE_PREFIX = 'br-';
/** include/uapi/linux/magic.h */
const NSFS_MAGIC = 0x6e736673;
