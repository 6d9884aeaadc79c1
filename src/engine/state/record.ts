import * as v from 'valibot';
import { ContainerId, ContainerSpec, ContainerState } from '../../../guest-agent/api.ts';
import { ZoneName } from '../../api.ts';

const text = v.pipe(v.string(), v.maxLength(128 * 1024));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

/** A port as it was asked for; `hostPort` 0 is any free one. */
export const PortRequest = v.object({
  containerPort: port,
  hostIp: text,
  hostPort: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535)),
});

/** A port that listens: what was asked for with the host port that it got. */
export const PortBinding = v.object({ containerPort: port, hostIp: text, hostPort: port });

export const HostCopy = v.object({ source: text, destination: text, readOnly: v.boolean() });

const recordEntries = {
  id: ContainerId,
  /** As Docker takes names: https://github.com/moby/moby/blob/master/daemon/names/names.go. */
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/)),
  zone: ZoneName,
  /** Why it runs in its guest, from placement. */
  reason: text,
  image: v.object({ reference: text, id: text }),
  createdAt: v.pipe(v.number(), v.integer()),
  autoRemove: v.boolean(),
  labels: v.record(text, text),
  /** Container ports that image or request declare, published or not: "80/tcp". */
  exposed: v.array(text),
  publish: v.array(PortRequest),
  /** Files of this host that it has copies of, in the order of its spec's. */
  copies: v.optional(v.array(HostCopy), []),
  entrypoint: v.nullable(v.array(text)),
  command: v.nullable(v.array(text)),
};

/** What the engine knows about a container besides its spec; the agent keeps it, sealed, as an annotation. */
export const ContainerMeta = v.object(recordEntries);

/** A container as asked for, with the image's configuration merged in. Does not change after create, but for its name. */
export const ContainerRecord = v.object({
  ...recordEntries,
  spec: v.object(v.omit(ContainerSpec, ['annotations']).entries),
});

/**
 * `creating` until the agent has it and `removing` until the agent has dropped it: what a crash leaves in these phases is
 * removed, so nothing is half there.
 */
export const Container = v.object({
  record: ContainerRecord,
  phase: v.picklist(['creating', 'created', 'removing']),
  /** Null until placed. */
  guest: v.nullable(v.string()),
  /** Why it cannot go on, when its guest has ended under it. */
  lost: v.nullable(v.string()),
  /** The last that was heard from the agent. */
  state: ContainerState,
  /** Listening while it runs. */
  bindings: v.array(PortBinding),
});

export type HostCopy = v.InferOutput<typeof HostCopy>;
export type PortRequest = v.InferOutput<typeof PortRequest>;
export type PortBinding = v.InferOutput<typeof PortBinding>;
export type ContainerMeta = v.InferOutput<typeof ContainerMeta>;
export type ContainerRecord = v.InferOutput<typeof ContainerRecord>;
export type Container = v.InferOutput<typeof Container>;
