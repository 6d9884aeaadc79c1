/**
 * What nest adds to the Docker Engine API, under /nest on the engine's socket. The client parses replies with these
 * schemas too: an older or newer engine may answer.
 *
 * | request | body | reply |
 * |---|---|---|
 * | GET /nest/status | – | EngineStatus |
 * | POST /nest/stop | – | 202; the engine ends, guests and containers go on |
 * | GET /nest/guests?usage=1 | – | Guest[] |
 * | GET /nest/guests/:guest | – (id or name) | GuestDetail |
 * | POST /nest/guests/:guest/restart-agent | – | 204 once it was told; containers go on |
 * | POST /nest/guests/:guest/stop, start, reboot, pause, resume | – | stream, result Guest; what it is already is success |
 * | POST /nest/guests/:guest/resize | GuestResize | Guest; it is in force from its next start on |
 * | GET /nest/guests/:guest/ssh | – | SshAccess of a guest that boots a stock image; 501 for another |
 * | POST /nest/guests/:guest/ssh | –, with `Upgrade: tcp` | the connection becomes one to the guest's sshd |
 * | GET /nest/guests/:guest/snapshots | – | GuestSnapshot[], oldest first |
 * | POST /nest/guests/:guest/snapshots/:snapshot | – | stream, result GuestSnapshot; one of that name is replaced |
 * | POST /nest/guests/:guest/snapshots/:snapshot/restore | – | stream, result Guest: as it was, with its containers |
 * | DELETE /nest/guests/:guest/snapshots/:snapshot | – | 204, also when absent |
 * | GET /nest/guests/:guest/console?tail=N&follow=1 | – | text/plain, as the guest wrote it |
 * | DELETE /nest/guests/:guest?force=1 | – | 204; 409 while containers run in it without force |
 * | GET /nest/guest-images | – | GuestImage[] |
 * | POST /nest/guest-images?recipe=debian-12&force=1 | – | stream, result GuestImage |
 * | POST /nest/guest-images/:name | disk image of a distribution | stream, result GuestImage |
 * | DELETE /nest/guest-images/:name | – | 204, also when absent; 409 while guests boot it, or for nest's own |
 * | GET /nest/deployments | – | Deployment[] |
 * | POST /nest/deployments | DeployRequest | stream, result DeployResult |
 * | DELETE /nest/deployments/:project?volumes=1 | – | stream, result DownResult |
 * | PUT /nest/volumes/:volume | {zone} | Docker's Volume; 409 while a container has it |
 * | GET /nest/disk | – | DiskUsage |
 * | POST /nest/check?repair=1 | – | stream, result StoreCheck |
 * | POST /nest/builds | BuildRequest on one line, then the context as a tar | stream of BuildEvent, result BuildResult |
 * | GET /nest/progress?zone=Z | – | stream without result: what the engine is doing for that zone, until closed |
 *
 * A "stream" is application/x-ndjson, one StreamEvent a line: progress, then exactly one `result` or `error`. Closing
 * the connection early cancels the work and undoes what is half done.
 */
import * as v from 'valibot';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A zone's or project's name: also part of domain names. */
export const ZoneName = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/));

export const Accelerator = v.picklist(['kvm', 'tcg']);
export const AcceleratorChoice = v.picklist(['auto', 'kvm', 'tcg']);

export const EngineStatus = v.object({
  version: text,
  pid: count,
  /** Milliseconds since 1970. */
  startedAt: count,
  uri: text,
  dataDirectory: text,
  guests: count,
  containers: count,
});

/** Of the memory promised to a guest, bytes; null where nobody can tell now. */
export const GuestUsage = v.object({
  /** As the guest counts, without caches. */
  used: v.nullable(count),
  /** What it costs the host: its QEMU's proportional share (PSS), and what it maps that others map too. */
  held: v.nullable(count),
  shared: v.nullable(count),
});

export const Guest = v.object({
  id: text,
  name: text,
  zone: text,
  state: v.picklist(['starting', 'running', 'unreachable', 'paused', 'stopped']),
  /** Why it is in a state that nobody asked for. */
  reason: v.nullable(text),
  accelerator: Accelerator,
  vcpus: count,
  /** What it is promised from its next start on, where that is something else. */
  next: v.nullable(v.object({ vcpus: count, memory: count })),
  /** Bytes promised to the guest, and bytes its containers asked for. */
  memory: count,
  committed: count,
  /** Null unless it was asked for. */
  usage: v.nullable(GuestUsage),
  createdAt: count,
  /** When it was last booted or cloned; null while it is stopped. */
  startedAt: v.nullable(count),
  /** Null until the agent has answered. */
  bootId: v.nullable(text),
  kernel: v.nullable(text),
  image: text,
  /** Name of the stock image that it boots; null for nest's own. */
  stock: v.nullable(text),
  /** Digest of the template it was cloned from; null when it was booted. */
  template: v.nullable(text),
  containers: v.array(v.object({ id: text, name: text, status: text })),
  /** libvirt's name of it, for virsh. */
  domain: text,
});

/** One guest with what only its agent knows. */
export const GuestDetail = v.object({
  ...Guest.entries,
  /** What its QEMU may use of this host at most, bytes and processors; null where nothing limits it. */
  limits: v.object({ memory: v.nullable(count), cpus: v.nullable(v.number()) }),
  /** Diff ids of the layers that are mounted in it; null while the agent does not answer. */
  layers: v.nullable(v.array(text)),
});

/** Bytes; what is absent stays. */
export const GuestResize = v.strictObject({ vcpus: v.optional(count), memory: v.optional(count) });

/** What logs in to a guest as root, in OpenSSH's formats. */
export const SshAccess = v.object({ privateKey: text, hostKey: text });

export const SnapshotName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/));

export const GuestSnapshot = v.object({
  name: text,
  createdAt: count,
});

export const GuestImage = v.object({
  digest: text,
  recipe: text,
  /** Null where the image boots one of its own: a distribution's disk image. */
  kernel: v.nullable(text),
  /** Bytes of all its files. */
  size: count,
  createdAt: count,
  /** True for a disk image of a distribution; `recipe` is then the name that it was given. */
  stock: v.boolean(),
  /** Digest of the agent part that new guests get. */
  agent: text,
  /** False when the build found everything done. */
  built: v.boolean(),
});

/** What takes disk space, by kind; bytes. */
export const DiskUsage = v.array(
  v.object({ type: text, total: count, active: count, size: count, reclaimable: count }),
);

/** What a check of images and layers has found. */
export const StoreCheck = v.object({
  images: count,
  blobs: count,
  disks: count,
  /** Bytes read. */
  bytes: count,
  problems: v.array(v.object({ object: text, message: text })),
});

export const DeployRequest = v.strictObject({
  /** Text of the Compose file and the name to show in messages. */
  file: v.pipe(v.string(), v.maxLength(1024 * 1024)),
  fileName: text,
  /** Default project name: the file's folder. */
  folder: text,
  /** Where relative paths in the file begin; absolute. */
  directory: v.optional(v.pipe(text, v.startsWith('/'))),
  project: v.optional(text),
  /** For ${VAR}. */
  environment: v.record(text, text),
  accelerator: v.optional(AcceleratorChoice),
});

export const DeployAction = v.picklist(['created', 'recreated', 'started', 'unchanged', 'removed']);

export const ServiceResult = v.object({
  service: text,
  container: text,
  action: DeployAction,
  zone: text,
  guest: text,
  /** Why it runs there, e.g. "joins guest web-1: same zone, 812 MiB free". */
  reason: text,
  /** "127.0.0.1:8080->80/tcp". */
  ports: v.array(text),
});

export const DeployResult = v.object({ project: text, services: v.array(ServiceResult) });
export const DownResult = v.object({
  project: text,
  removed: v.array(text),
  guests: v.array(text),
  volumes: v.optional(v.array(text), []),
  networks: v.optional(v.array(text), []),
});
export const Deployment = v.object({ project: text, services: count, running: count, zones: v.array(text) });

const code = v.picklist(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]);
export const ErrorBody = v.object({ message: text, code, hint: v.optional(text) });

export const StreamEvent = v.variant('type', [
  v.object({
    type: v.literal('step'),
    id: count,
    title: text,
    state: v.picklist(['running', 'done', 'failed']),
    detail: v.optional(text),
  }),
  v.object({ type: v.literal('warning'), message: text }),
  v.object({ type: v.literal('result'), value: v.unknown() }),
  v.object({ type: v.literal('error'), error: ErrorBody }),
]);

/** An image to build. */
export const BuildRequest = v.strictObject({
  dockerfile: v.strictObject({ name: text, text: v.pipe(text, v.maxLength(1024 * 1024)) }),
  tags: v.array(text),
  /** By name. */
  buildArgs: v.record(text, text),
  /** Name or number of a stage; null is the last. */
  target: v.nullable(text),
  noCache: v.boolean(),
  /** When base images are brought from their registries. */
  pull: v.picklist(['missing', 'always', 'never']),
  labels: v.record(text, text),
  /** By id, base64. */
  secrets: v.record(text, text),
});

export const BuildResult = v.object({
  id: text,
  names: v.array(text),
  /** Diff ids, base layer first. */
  layers: v.array(text),
  /** Bytes of all layers. */
  size: count,
});

export const BuildEvent = v.variant('type', [
  ...StreamEvent.options,
  v.object({
    type: v.literal('build-step'),
    number: count,
    total: count,
    /** The instruction. */
    text,
    state: v.picklist(['running', 'cached', 'done', 'failed']),
    milliseconds: count,
  }),
  /** What a command of that step writes. */
  v.object({ type: v.literal('output'), number: count, text }),
]);

/** Labels by which the engine's containers are found; `nest.zone`, `nest.shape` and `nest.guest-image` are also how a Docker
 * client chooses the zone, what a new guest is promised and what it boots. */
export const LABELS = {
  zone: 'nest.zone',
  shape: 'nest.shape',
  guestImage: 'nest.guest-image',
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  volume: 'com.docker.compose.volume',
  /** Where a service mounts a volume that nobody named. */
  destination: 'nest.destination',
  network: 'com.docker.compose.network',
  configHash: 'com.docker.compose.config-hash',
  /** Digests of the host's files that it was made with. */
  copies: 'nest.copies',
} as const;

export type Accelerator = v.InferOutput<typeof Accelerator>;
export type AcceleratorChoice = v.InferOutput<typeof AcceleratorChoice>;
export type EngineStatus = v.InferOutput<typeof EngineStatus>;
export type GuestUsage = v.InferOutput<typeof GuestUsage>;
export type Guest = v.InferOutput<typeof Guest>;
export type GuestResize = v.InferOutput<typeof GuestResize>;
export type SshAccess = v.InferOutput<typeof SshAccess>;
export type GuestDetail = v.InferOutput<typeof GuestDetail>;
export type GuestSnapshot = v.InferOutput<typeof GuestSnapshot>;
export type GuestImage = v.InferOutput<typeof GuestImage>;
export type DiskUsage = v.InferOutput<typeof DiskUsage>;
export type StoreCheck = v.InferOutput<typeof StoreCheck>;
export type DeployRequest = v.InferOutput<typeof DeployRequest>;
export type DeployAction = v.InferOutput<typeof DeployAction>;
export type ServiceResult = v.InferOutput<typeof ServiceResult>;
export type DeployResult = v.InferOutput<typeof DeployResult>;
export type DownResult = v.InferOutput<typeof DownResult>;
export type Deployment = v.InferOutput<typeof Deployment>;
export type BuildRequest = v.InferOutput<typeof BuildRequest>;
export type BuildResult = v.InferOutput<typeof BuildResult>;
export type BuildEvent = v.InferOutput<typeof BuildEvent>;
export type StreamEvent = v.InferOutput<typeof StreamEvent>;
