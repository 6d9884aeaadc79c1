/**
 * The agent's API: what travels on the trunk. Both ends parse what they receive with these schemas; the engine treats
 * every byte from a guest as hostile, the agent treats ids and paths as data to check.
 *
 * HTTP/2, request and reply bodies in JSON unless said otherwise. `:id` is a container id.
 *
 * | request | body | reply |
 * |---|---|---|
 * | GET /v1/info | – | AgentInfo |
 * | PUT /v1/identity | Identity | 200 AgentInfo; the same again succeeds, another one: 409. All but it and /v1/info is 409 before |
 * | PUT /v1/clock | ClockReading | 204 |
 * | PUT /v1/rehearsal | Identity | 204: all but the boot id is as after /v1/identity, and REHEARSAL_LAYER is there; 409 with an identity |
 * | DELETE /v1/rehearsal | – | 204 once the guest is nobody again, its disk stays mounted; 409 while there are containers |
 * | POST /v1/restart | – | 204; then the agent ends as in a crash and is started again, and containers run on: for a new version of it |
 * | POST /v1/poweroff | – | 204; then init ends all processes, unmounts the disk and turns the machine off |
 * | PUT /v1/layers/:diffId | LayerDisk | 200 once mounted read-only; mounting a mounted layer succeeds |
 * | DELETE /v1/layers/:diffId | – | 204, also when absent; 409 while a container uses it |
 * | GET /v1/layers | – | string[] of diff ids that are mounted |
 * | PUT /v1/volumes/:volume | VolumeDisk | 200 VolumeReply; mounting a mounted one succeeds |
 * | DELETE /v1/volumes/:volume | – | 204 once nothing of it is unwritten and its disk can go, also when absent; 409 while a container runs with it |
 * | POST /v1/copies/:id/:copy | tar of `content` | as unpack: files for a container that is created next, by their place in its `copies` |
 * | GET /v1/switch | – | string[] of the interfaces there: bridges of networks, and the ends of containers' cables |
 * | POST /v1/containers | ContainerSpec | 201 ContainerState; the same id and spec again: 200 |
 * | POST /v1/run?stdin=1 | ContainerSpec on one line, then stdin bytes | frames once execve succeeded, until it has exited: creates, attaches and starts |
 * | GET /v1/containers | – | ContainerRecord[] |
 * | GET /v1/containers/:id | – | ContainerRecord |
 * | POST /v1/containers/:id/start | – | ContainerState once execve succeeded; starting a running one succeeds |
 * | POST /v1/containers/:id/stop?seconds=N | – | ContainerState when it has stopped; stopping a stopped one succeeds |
 * | POST /v1/containers/:id/kill?signal=NAME | – | 204; 409 when it is not running |
 * | POST /v1/containers/:id/pause | – | ContainerState when all its processes stand still; pausing a paused one succeeds |
 * | POST /v1/containers/:id/resume | – | ContainerState; resuming one that is not paused succeeds |
 * | POST /v1/containers/:id/update | ContainerUpdate | ContainerRecord; limits take the place of all earlier ones, at once |
 * | GET /v1/containers/:id/stats | – | ContainerStats, 409 when it is not running |
 * | GET /v1/containers/:id/health | – | HealthReport |
 * | GET /v1/containers/:id/processes | – | ContainerProcess[], 409 when it is not running |
 * | POST /v1/containers/:id/wait | – | ContainerState when it has exited and will not be restarted (headers come at once) |
 * | DELETE /v1/containers/:id?force=1 | – | 204, also when absent; 409 while running without force |
 * | GET /v1/containers/:id/logs?follow=1&tail=N&since=MS&until=MS&timestamps=1&stdout=1&stderr=1 | – | frames; `follow` ends when the container has exited |
 * | POST /v1/containers/:id/attach?stdin=1&logs=1 | stdin bytes | frames, from now on (`logs=1`: from the beginning), until it has exited |
 * | POST /v1/containers/:id/exec | ExecSpec | 201 {execId} |
 * | POST /v1/exec/:execId/start | stdin bytes | frames until the process has exited |
 * | GET /v1/exec/:execId | – | ExecState |
 * | GET /v1/containers/:id/changes | – | one FileChange a line: what the container did to its image's files |
 * | GET /v1/containers/:id/layer | – | tar of the files that the container wrote, as an OCI layer |
 * | PUT /v1/containers/:id/layer | ScratchDisk | LayerSize: the same tar is on that disk, from its beginning |
 * | GET /v1/containers/:id/export | – | tar of all files that the container sees |
 * | GET /v1/containers/:id/stat?path=P | – | FileStat, the last link of the path not followed; 404 |
 * | GET /v1/containers/:id/archive?path=P | – | tar of that file or folder under its own name, of what is in it for `P/.` |
 * | POST /v1/containers/:id/unpack?path=P | tar | `{}` when it is unpacked in that folder, ErrorReply when it broke off |
 * | POST /v1/containers/:id/ports/:port | bytes | bytes: a TCP connection to that port inside the container's network; 502 refused |
 * | POST /v1/containers/:id/resize | TerminalSize | 204; 409 when it is not running or has no terminal |
 * | POST /v1/exec/:execId/resize | TerminalSize | 204; the same |
 * | GET /v1/events | – | one AgentEvent a line: first `snapshot`, then changes |
 *
 * Frames are those of the Docker Engine API: `[1 byte: 1 stdout, 2 stderr][3 zero bytes][uint32 big-endian length][bytes]`,
 * at most FRAME_LIMIT bytes each. An error is an ErrorReply with status 400, 404, 409 or 500.
 */
import * as v from 'valibot';
import { HealthCheck, HealthStatus } from './wire/health.ts';
import { Limits } from './wire/limits.ts';
import { Ipv4, Lookup, Network, NetworkId } from './wire/network.ts';

export * from './wire/health.ts';
export * from './wire/limits.ts';
export * from './wire/network.ts';
export * from './wire/stats.ts';
import { CAPABILITIES, type Capability, DEFAULT_CAPABILITIES } from './security/capability-names.ts';

export { CAPABILITIES, type Capability, DEFAULT_CAPABILITIES };

/** Name of the virtio-serial port that carries the trunk. */
export const TRUNK_PORT = 'nest.agent.0';

/** The guest's own root as a layer, during a rehearsal. */
export const REHEARSAL_LAYER = `sha256:${'0'.repeat(64)}`;

/** Longest payload of one output frame, in bytes. */
export const FRAME_LIMIT = 64 * 1024;

/** Bytes: with less, overlayfs has no room for its own folders. */
export const LEAST_STORAGE = 1024 * 1024;

/** Overlayfs takes at most this many lower directories here: their short names must fit one page of mount options. */
export const LAYER_LIMIT = 127;

export const DiffId = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));
export const ContainerId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** Also the SCSI serial of its disk. */
export const VolumeId = v.pipe(v.string(), v.regex(/^v[0-9a-f]{19}$/));
export const SignalName = v.pipe(v.string(), v.regex(/^SIG[A-Z0-9+-]{2,12}$/));

const absolutePath = v.pipe(v.string(), v.startsWith('/'), v.maxLength(4095), v.regex(/^[^\0]*$/));
const text = v.pipe(v.string(), v.maxLength(128 * 1024), v.regex(/^[^\0]*$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const LayerDisk = v.strictObject({
  /** SCSI serial of the disk, which finds it in the guest: the first 20 hex digits of the diff id. */
  serial: v.pipe(v.string(), v.regex(/^[0-9a-f]{20}$/)),
});

/** A disk without a file system, which the engine reads as the bytes that it is. */
export const ScratchDisk = v.strictObject({
  /** SCSI serial. */
  serial: v.pipe(v.string(), v.regex(/^s[0-9a-f]{19}$/)),
});

export const LayerSize = v.strictObject({ bytes: count });

export const VolumeDisk = v.strictObject({ readOnly: v.boolean() });

/** Not mounted: an unclean or unused volume must be mounted for writing once before it can be mounted for reading. */
export const VolumeReply = v.strictObject({ mounted: v.boolean() });

/** A volume as a container sees it. */
export const VolumeMount = v.strictObject({
  volume: VolumeId,
  destination: absolutePath,
  readOnly: v.optional(v.boolean()),
  /** False leaves an empty volume empty; otherwise it gets what the image has at `destination`. */
  copy: v.optional(v.boolean()),
});

/** Files that were sent for this container alone. */
export const CopyMount = v.strictObject({ destination: absolutePath, readOnly: v.optional(v.boolean()) });

export const RestartPolicy = v.strictObject({
  name: v.picklist(['no', 'always', 'on-failure', 'unless-stopped']),
  /** For on-failure; 0 is no limit. */
  maximumRetries: count,
});

/** What a container may do, where that is not the default. */
export const Security = v.strictObject({
  /** The most that its processes can ever have. */
  capabilities: v.optional(v.pipe(v.array(v.picklist(CAPABILITIES)), v.maxLength(64))),
  /** False lets set-user-ID programs and file capabilities raise rights: prctl(2), PR_SET_NO_NEW_PRIVS. True by default. */
  noNewPrivileges: v.optional(v.boolean()),
  /** `unconfined`, or a profile as Docker reads it, in JSON. */
  seccomp: v.optional(v.pipe(v.string(), v.maxLength(512 * 1024))),
  readonlyRoot: v.optional(v.boolean()),
});

export const RLIMITS = [
  'cpu',
  'fsize',
  'data',
  'stack',
  'core',
  'rss',
  'nproc',
  'nofile',
  'memlock',
  'as',
  'locks',
  'sigpending',
  'msgqueue',
  'nice',
  'rtprio',
  'rttime',
] as const;

/** getrlimit(2); -1 is no limit. */
export const Rlimit = v.strictObject({
  name: v.picklist(RLIMITS),
  soft: v.pipe(v.number(), v.integer(), v.minValue(-1)),
  hard: v.pipe(v.number(), v.integer(), v.minValue(-1)),
});

/** Kernel parameters that each container has for itself; others would change the guest for all its containers. */
export const OWN_SYSCTL =
  /^(net\.[a-z0-9_./-]+|fs\.mqueue\.[a-z_]+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/i;

export const Tmpfs = v.strictObject({
  destination: absolutePath,
  /** Of mount(8) and tmpfs(5): `size=64m`, `mode=1777`, `ro`, `exec`. */
  options: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_=.%]{1,64}$/))), v.maxLength(32)),
});

/** A device of the guest that the container may use. */
export const DeviceAccess = v.strictObject({
  source: absolutePath,
  destination: absolutePath,
  access: v.pipe(v.string(), v.regex(/^[rwm]{1,3}$/)),
});

/** Width and height in characters. */
export const TerminalSize = v.strictObject({
  columns: v.pipe(count, v.maxValue(0xffff)),
  rows: v.pipe(count, v.maxValue(0xffff)),
});

const process = {
  argv: v.pipe(v.array(text), v.minLength(1), v.maxLength(4096)),
  /** KEY=VALUE. */
  env: v.pipe(v.array(text), v.maxLength(4096)),
  cwd: absolutePath,
  /** As in an image's config: "", "uid", "uid:gid", "name", "name:group"; names are looked up in the container's files. */
  user: v.pipe(v.string(), v.maxLength(256)),
  /** Keep stdin open for attach; otherwise it is /dev/null. */
  stdin: v.boolean(),
  /** A terminal in place of the three streams, of this size at first. All it shows comes as stdout; there is no log of stderr. */
  terminal: v.optional(TerminalSize),
};

/** How much of a container's log is kept: what is older than `files` files of `size` bytes each is removed. */
export const LogLimits = v.strictObject({
  size: v.pipe(count, v.minValue(4096)),
  files: v.pipe(count, v.minValue(1), v.maxValue(1000)),
});

/** Volumes of a container, and copies. */
export const MOUNTS_LIMIT = 64;

export const ContainerSpec = v.strictObject({
  id: ContainerId,
  hostname: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/)),
  /** Base layer first, as in an image's config. All must be mounted. */
  layers: v.pipe(v.array(DiffId), v.minLength(1), v.maxLength(LAYER_LIMIT)),
  ...process,
  stopSignal: SignalName,
  /** Grace period of stop, seconds. */
  stopSeconds: count,
  limits: Limits,
  restart: RestartPolicy,
  security: v.optional(Security),
  domainname: v.optional(v.pipe(v.string(), v.maxLength(64), v.regex(/^[A-Za-z0-9.-]*$/))),
  /** More groups, by name or number, than the user has. */
  groups: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.maxLength(256))),
  rlimits: v.optional(v.pipe(v.array(Rlimit), v.maxLength(RLIMITS.length))),
  /** Of the container's own namespaces. */
  sysctls: v.optional(v.record(v.pipe(v.string(), v.maxLength(256), v.regex(/^[A-Za-z0-9_./*-]+$/)), text)),
  tmpfs: v.optional(v.pipe(v.array(Tmpfs), v.maxLength(64))),
  /** Each must be mounted in the guest when the container starts. */
  volumes: v.optional(v.pipe(v.array(VolumeMount), v.maxLength(MOUNTS_LIMIT))),
  copies: v.optional(v.pipe(v.array(CopyMount), v.maxLength(MOUNTS_LIMIT))),
  devices: v.optional(v.pipe(v.array(DeviceAccess), v.maxLength(64))),
  /** Bytes that /dev/shm may hold; 64 MiB by default. */
  shmSize: v.optional(v.pipe(count, v.minValue(1))),
  /** Bytes that its writable layer may hold, with what was copied for it to write to. */
  storageLimit: v.optional(v.pipe(count, v.minValue(LEAST_STORAGE))),
  /** proc_pid_oom_score_adj(5) */
  oomScoreAdj: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-1000), v.maxValue(1000))),
  /** A small init is PID 1: it hands signals to the command and takes what orphans leave. */
  init: v.optional(v.boolean()),
  health: v.optional(HealthCheck),
  /** Without it a loopback interface alone, and the image's own files in /etc. */
  network: v.optional(Network),
  lookup: v.optional(Lookup),
  log: v.optional(LogLimits),
  /** Opaque to the agent; the engine keeps here what it needs to adopt the container. */
  annotations: v.record(v.pipe(v.string(), v.maxLength(256)), text),
});

/** What may change in the life of a container; what is absent stays. */
export const ContainerUpdate = v.strictObject({
  limits: v.optional(Limits),
  restart: v.optional(RestartPolicy),
});

export const ExecSpec = v.strictObject({ ...process });

export const ContainerState = v.strictObject({
  id: ContainerId,
  status: v.picklist(['created', 'running', 'restarting', 'exited']),
  /** Its processes stand still; only when it is running. */
  paused: v.optional(v.boolean(), false),
  /** `none` without a health check, and while it does not run. */
  health: v.optional(HealthStatus, 'none'),
  /** Of PID 1 as the guest sees it; 0 when not running. */
  pid: count,
  /** Milliseconds since 1970; 0 when it never happened. */
  createdAt: count,
  startedAt: count,
  finishedAt: count,
  /** 128 + signal when a signal ended it, as shells count. */
  exitCode: v.pipe(count, v.maxValue(255)),
  oomKilled: v.boolean(),
  restarts: count,
  /** By network; they stay as long as the container. */
  addresses: v.optional(v.record(NetworkId, Ipv4)),
  /** Why the last start failed. */
  error: v.pipe(v.string(), v.maxLength(4096)),
});

export const ContainerRecord = v.strictObject({ spec: ContainerSpec, state: ContainerState });

export const ExecState = v.strictObject({
  running: v.boolean(),
  exitCode: v.nullable(v.pipe(count, v.maxValue(255))),
  pid: count,
});

/** Milliseconds since 1970, at the time of sending. */
const now = v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 43));

/**
 * Who a guest is. The engine tells it after each boot and clone, before anything else: until then guests of one template
 * are the same in every byte.
 */
export const Identity = v.strictObject({
  hostname: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)),
  /** 32 hex digits: machine-id(5). */
  machineId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** Random bytes for the kernel, in base64. */
  entropy: v.pipe(v.string(), v.base64(), v.minLength(88), v.maxLength(512)),
  now,
});

export const ClockReading = v.strictObject({ now });

export const AgentInfo = v.strictObject({
  kernel: v.pipe(v.string(), v.maxLength(256)),
  /** Null until the guest has an identity. */
  bootId: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/))),
  hostname: v.pipe(v.string(), v.maxLength(64)),
  cpus: count,
  /** Bytes. */
  memoryTotal: count,
  memoryAvailable: count,
  /** Process id of the agent: changes when it was restarted. */
  pid: count,
});

export const AgentEvent = v.variant('type', [
  v.strictObject({ type: v.literal('snapshot'), containers: v.array(ContainerRecord) }),
  v.strictObject({ type: v.literal('state'), state: ContainerState }),
  v.strictObject({ type: v.literal('removed'), id: ContainerId }),
]);

/** Added, changed or deleted, as in `docker diff`. */
export const FileChange = v.strictObject({
  kind: v.picklist(['A', 'C', 'D']),
  path: v.pipe(v.string(), v.maxLength(3 * 4096)),
});

/** A file as lstat(2) shows it. */
export const FileStat = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(4096)),
  /** With the bits of its type: inode(7). */
  mode: v.pipe(count, v.maxValue(0xffff_ffff)),
  /** Bytes; 0 of what is no plain file. */
  size: v.pipe(count, v.maxValue(Number.MAX_SAFE_INTEGER)),
  /** Milliseconds since 1970. */
  modifiedAt: v.pipe(count, v.maxValue(2 ** 43)),
  /** Of a link, else empty. */
  linkTarget: v.pipe(v.string(), v.maxLength(3 * 4096)),
});

export const ErrorReply = v.object({
  /** operation + `object` + cause. */
  message: v.pipe(v.string(), v.maxLength(4096)),
  /** The system call's error name, e.g. ENOENT, where one failed. */
  errno: v.optional(v.pipe(v.string(), v.maxLength(32))),
});

export type LayerSize = v.InferOutput<typeof LayerSize>;
export type LayerDisk = v.InferOutput<typeof LayerDisk>;
export type VolumeReply = v.InferOutput<typeof VolumeReply>;
export type VolumeMount = v.InferOutput<typeof VolumeMount>;
export type LogLimits = v.InferOutput<typeof LogLimits>;
export type RestartPolicy = v.InferOutput<typeof RestartPolicy>;
export type ContainerSpec = v.InferOutput<typeof ContainerSpec>;
export type ContainerUpdate = v.InferOutput<typeof ContainerUpdate>;
export type Security = v.InferOutput<typeof Security>;
export type Rlimit = v.InferOutput<typeof Rlimit>;
export type TerminalSize = v.InferOutput<typeof TerminalSize>;
export type ContainerState = v.InferOutput<typeof ContainerState>;
export type ContainerRecord = v.InferOutput<typeof ContainerRecord>;
export type ExecSpec = v.InferOutput<typeof ExecSpec>;
export type ExecState = v.InferOutput<typeof ExecState>;
export type Identity = v.InferOutput<typeof Identity>;
export type AgentInfo = v.InferOutput<typeof AgentInfo>;
export type AgentEvent = v.InferOutput<typeof AgentEvent>;
export type FileStat = v.InferOutput<typeof FileStat>;
export type FileChange = v.InferOutput<typeof FileChange>;
export type ErrorReply = v.InferOutput<typeof ErrorReply>;
