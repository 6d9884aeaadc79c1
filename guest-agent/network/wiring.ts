import { writeSysctl } from '../security/sysctl.ts';
import { AF_NETLINK, CLONE_NEWNET, O_CLOEXEC, O_RDONLY, SOCK_CLOEXEC, SOCK_RAW } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';
import { addAddress, addDefaultRoute, makePair, turnOn } from './links.ts';
import { macOf } from './mac.ts';
import { transact } from './netlink.ts';

/** The cable of a process that will be on a network: from its own network namespace to the switch (switch.ts). */
export interface Cable {
  /** File of the switch's network namespace. */
  switch: string;
  /** Name of its end there; that of a second cable has `.1` behind it. */
  port: string;
}

/** What an end of a cable is plugged into. */
export interface Plug {
  /** Index of the network's bridge in the switch. */
  bridge: number;
  address: string;
  prefix: number;
  internal: boolean;
}

/** What a process holds from the moment it prepares until it is on its networks. */
export interface Wiring {
  cable: Cable;
  switch: number;
  /** Netlink sockets that act there, and in its own namespace. */
  there: number;
  here: number;
}

/** Leaves the calling process in the switch's network namespace: it is to make one of its own next. */
export function reachSwitch(sys: Sys, cable: Cable): Omit<Wiring, 'here'> {
  const file = sys.open(cable.switch, O_RDONLY | O_CLOEXEC);
  sys.setns(file, CLONE_NEWNET);
  return { cable, switch: file, there: openNetlink(sys) };
}

/**
 * In a new network namespace, whose loopback interface is down: turns it on, so that 127.0.0.1 and ::1 work. With a cable,
 * makes eth0, whose other end is in the switch and leads nowhere yet.
 */
export function makeInterfaces(sys: Sys, reached: Omit<Wiring, 'here'> | undefined): Wiring | undefined {
  const here = openNetlink(sys);
  if (reached === undefined) {
    transact(sys, here, [turnOn(LOOPBACK)]);
    sys.close(here);
    return undefined;
  }
  // Addresses that nobody gave would be a way past the rules for those that were given. A kernel without IPv6 has no such file.
  unless(['ENOENT'], () => writeSysctl(sys, 'net/ipv6/conf/default/disable_ipv6', '1'));
  transact(sys, here, [turnOn(LOOPBACK), makeCable(reached, 0)]);
  return { ...reached, here };
}

/** Puts the process on its networks, in this order: eth0, eth1 and so on. */
export function plugIn(sys: Sys, wiring: Wiring, plugs: Plug[]): void {
  const isDefault = plugs.findIndex(({ internal }) => !internal);
  transact(
    sys,
    wiring.here,
    plugs.flatMap(({ address, prefix }, number) => {
      const index = FIRST_INDEX + number;
      return [
        ...(number > 0 ? [makeCable(wiring, number)] : []),
        turnOn(index, { mac: macOf(address) }),
        addAddress(index, address, prefix),
        ...(number === isDefault ? [addDefaultRoute(index)] : []),
      ];
    }),
  );
  transact(
    sys,
    wiring.there,
    plugs.map(({ bridge }, number) => turnOn(portName(wiring.cable, number), { bridge })),
  );
}

export const openNetlink = (sys: Sys): number => sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC);

const makeCable = ({ cable, switch: file }: Omit<Wiring, 'here'>, number: number) =>
  makePair(`eth${number}`, FIRST_INDEX + number, portName(cable, number), file);

const portName = ({ port }: Cable, number: number) => (number === 0 ? port : `${port}.${number}`);

/** Of the loopback interface, in every network namespace; what is made there comes next. */
const LOOPBACK = 1;
const FIRST_INDEX = 2;
