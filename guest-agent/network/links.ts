import { AF_INET, IFF_UP } from '../sys/constants.ts';
import { addressBytes } from './ipv4.ts';
import { attribute, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, readAttributes, type Request } from './netlink.ts';

/** An interface: one that is there by its index, or else by its name. */
type Interface = number | string;

/**
 * A pair of interfaces, each of which gets what goes into the other: veth(4).
 *
 * @param index of the one in the socket's namespace
 * @param namespace descriptor of the other one's
 */
export const makePair = (name: string, index: number, other: string, namespace: number): Request => ({
  ...request(RTM_NEWLINK, 'make interface', other),
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: link(index, {}, [
    attribute(IFLA_IFNAME, name),
    kind('veth', [
      attribute(VETH_INFO_PEER, link(0, {}, [attribute(IFLA_IFNAME, other), attribute(IFLA_NET_NS_FD, namespace)])),
    ]),
  ]),
});

/** A switch in software. It listens to no multicast: that would wake an idle guest. */
export const makeBridge = (name: string, mac: Buffer): Request => ({
  ...request(RTM_NEWLINK, 'make bridge', name),
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: link(0, { up: true }, [
    attribute(IFLA_IFNAME, name),
    attribute(IFLA_ADDRESS, mac),
    kind('bridge', [attribute(IFLA_BR_MCAST_SNOOPING, Buffer.of(0))]),
  ]),
});

/** Turns it on. @param change its hardware address, or the bridge (an index) whose port it becomes */
export const turnOn = (which: Interface, change: { mac?: Buffer; bridge?: number } = {}): Request => ({
  ...request(RTM_SETLINK, change.bridge === undefined ? 'turn on interface' : 'join bridge', String(which)),
  body: link(typeof which === 'number' ? which : 0, { up: true }, [
    ...(typeof which === 'string' ? [attribute(IFLA_IFNAME, which)] : []),
    ...(change.mac === undefined ? [] : [attribute(IFLA_ADDRESS, change.mac)]),
    ...(change.bridge === undefined ? [] : [attribute(IFLA_MASTER, change.bridge)]),
  ]),
});

export const removeLink = (name: string): Request => ({
  ...request(RTM_DELLINK, 'remove interface', name),
  body: link(0, {}, [attribute(IFLA_IFNAME, name)]),
});

/** Gives an interface its address; the kernel adds the route to the addresses that share the prefix. */
export function addAddress(index: number, address: string, prefix: number): Request {
  const header = Buffer.of(AF_INET, prefix, 0, 0, 0, 0, 0, 0); // struct ifaddrmsg
  header.writeUInt32LE(index, 4);
  const bytes = addressBytes(address);
  return {
    ...request(RTM_NEWADDR, 'add address', address),
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: Buffer.concat([header, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)]),
  };
}

/** What has no better route is looked for behind this interface. */
export const addDefaultRoute = (index: number): Request => ({
  ...request(RTM_NEWROUTE, 'add route', 'default'),
  flags: NLM_F_CREATE | NLM_F_EXCL,
  // struct rtmsg {u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags}
  body: Buffer.concat([
    Buffer.of(AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK, RTN_UNICAST, 0, 0, 0, 0),
    attribute(RTA_OIF, index),
  ]),
});

export const listLinks = (): Request => ({
  ...request(RTM_GETLINK, 'list interfaces', ''),
  flags: NLM_F_DUMP,
  body: link(0, {}, []),
});

/** @param body of an answer to `listLinks` */
export function parseLink(body: Buffer): { index: number; name: string } {
  const name = readAttributes(body.subarray(LINK_HEADER)).get(IFLA_IFNAME) ?? Buffer.alloc(1);
  return { index: body.readInt32LE(4), name: name.toString('latin1', 0, name.length - 1) };
}

/** struct ifinfomsg {u8 family; u16 type; s32 index; u32 flags, change}, then attributes. */
function link(index: number, { up = false }: { up?: boolean }, attributes: Buffer[]): Buffer {
  const header = Buffer.alloc(LINK_HEADER);
  header.writeInt32LE(index, 4);
  if (up) {
    header.writeUInt32LE(IFF_UP, 8);
    header.writeUInt32LE(IFF_UP, 12);
  }
  return Buffer.concat([header, ...attributes]);
}

const kind = (name: string, data: Buffer[]): Buffer =>
  attribute(
    IFLA_LINKINFO,
    Buffer.concat([attribute(IFLA_INFO_KIND, Buffer.from(name)), attribute(IFLA_INFO_DATA, Buffer.concat(data))]),
  );

function request(type: number, operation: string, object: string) {
  return { type, operation, object, flags: 0 };
}

const LINK_HEADER = 16;

// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTA_OIF = 4;
// include/uapi/linux/if_link.h, if_addr.h and veth.h
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BR_MCAST_SNOOPING = 23;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
