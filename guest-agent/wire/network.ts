import * as v from 'valibot';

export const NetworkId = v.pipe(v.string(), v.regex(/^[0-9a-f]{12,64}$/));
export const Ipv4 = v.pipe(v.string(), v.ipv4());
const Subnet = v.pipe(v.string(), v.regex(/^[0-9.]{7,15}\/\d{1,2}$/));
const IpAddress = v.pipe(v.string(), v.ip());

/** A name that others call a container by: labels of letters, digits, - and _, with dots between them. */
export const HostName = v.pipe(
  v.string(),
  v.maxLength(253),
  v.regex(/^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*$/),
);

/** A container's place in a network: an interface, eth0 for the first. All containers of a guest agree on what a network is. */
export const Attachment = v.strictObject({
  network: NetworkId,
  /** `10.89.1.0/24`; no two networks of a guest overlap. */
  subnet: Subnet,
  /** Of the bridge, where the resolver answers. */
  gateway: Ipv4,
  /** Without a default route: what is not in the subnet is unreachable at once. */
  internal: v.boolean(),
  /** Whether containers of this network find each other by name. */
  resolves: v.boolean(),
  /** The container's in this network, the first of which stands for its address. */
  names: v.pipe(v.array(HostName), v.maxLength(64)),
  /** A certain address; any free one otherwise. */
  address: v.optional(Ipv4),
});

/** How a container is connected. */
export const Network = v.variant('mode', [
  /** Alone: a loopback interface of its own. */
  v.strictObject({ mode: v.literal('none') }),
  /** As the guest itself. */
  v.strictObject({ mode: v.literal('host') }),
  /** As another container, which must run. */
  v.strictObject({ mode: v.literal('container'), container: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  v.strictObject({
    mode: v.literal('bridge'),
    attachments: v.pipe(v.array(Attachment), v.minLength(1), v.maxLength(8)),
  }),
]);

/** How a container finds names, besides the resolver of its networks: hosts(5), resolv.conf(5). */
export const Lookup = v.strictObject({
  hosts: v.pipe(v.array(v.strictObject({ name: HostName, address: IpAddress })), v.maxLength(256)),
  servers: v.pipe(v.array(IpAddress), v.maxLength(8)),
  search: v.pipe(v.array(HostName), v.maxLength(32)),
  options: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-z0-9:-]{1,32}$/))), v.maxLength(16)),
});

export type Attachment = v.InferOutput<typeof Attachment>;
export type Network = v.InferOutput<typeof Network>;
export type Lookup = v.InferOutput<typeof Lookup>;
