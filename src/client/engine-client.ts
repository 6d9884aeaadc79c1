import { Readable, type Duplex } from 'node:stream';
import * as v from 'valibot';
import { guestPath, snapshotPath, type GuestVerb } from './guest-path.ts';
import {
  BuildEvent,
  BuildResult,
  Deployment,
  DeployResult,
  DiskUsage,
  DownResult,
  EngineStatus,
  Guest,
  GuestSnapshot,
  GuestDetail,
  GuestImage,
  SshAccess,
  StoreCheck,
  StreamEvent,
  type BuildRequest,
  type DeployRequest,
  type GuestResize,
} from '../api.ts';
import type { ProgressEvent } from '../progress.ts';
import { follow } from './follow.ts';
import { request, requestJson, upgrade, type EngineRequest } from './http.ts';

type OnProgress = (event: ProgressEvent) => void;

/** What a build tells on its way. */
export type BuildProgress = Exclude<BuildEvent, { type: 'result' | 'error' }>;

/** What nest adds to the Docker Engine API, typed; the table of requests is in api.ts. */
export interface EngineClient {
  status(): Promise<EngineStatus>;
  stop(): Promise<void>;
  guests(options?: { usage: boolean }): Promise<Guest[]>;
  guest(name: string): Promise<GuestDetail>;
  console(name: string, options: { tail: number; follow: boolean }, signal?: AbortSignal): Promise<Readable>;
  restartAgent(name: string): Promise<void>;
  changeGuest(name: string, verb: GuestVerb, onProgress: OnProgress, signal?: AbortSignal): Promise<Guest>;
  resizeGuest(name: string, shape: GuestResize): Promise<Guest>;
  snapshots(guest: string): Promise<GuestSnapshot[]>;
  takeSnapshot(guest: string, name: string, onProgress: OnProgress, signal?: AbortSignal): Promise<GuestSnapshot>;
  restoreSnapshot(guest: string, name: string, onProgress: OnProgress, signal?: AbortSignal): Promise<Guest>;
  deleteSnapshot(guest: string, name: string): Promise<void>;
  deleteGuest(name: string, options: { force: boolean }): Promise<void>;
  sshAccess(guest: string): Promise<SshAccess>;
  /** A connection to the guest's sshd. */
  dialSshd(guest: string, signal?: AbortSignal): Promise<Duplex>;
  guestImages(): Promise<GuestImage[]>;
  /** @param content a distribution's disk image */
  addGuestImage(name: string, content: Readable, onProgress: OnProgress, signal?: AbortSignal): Promise<GuestImage>;
  removeGuestImage(name: string): Promise<void>;
  buildGuestImage(
    options: { recipe: string; force: boolean },
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<GuestImage>;
  /** To another zone. */
  giveVolume(name: string, zone: string): Promise<void>;
  disk(): Promise<DiskUsage>;
  check(repair: boolean, onProgress: OnProgress, signal?: AbortSignal): Promise<StoreCheck>;
  /** @param context tar of the build's context */
  build(
    request: BuildRequest,
    context: Readable,
    onEvent: (event: BuildProgress) => void,
    signal?: AbortSignal,
  ): Promise<BuildResult>;
  deployments(): Promise<Deployment[]>;
  deploy(deployment: DeployRequest, onProgress: OnProgress, signal?: AbortSignal): Promise<DeployResult>;
  down(
    project: string,
    options: { volumes: boolean },
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<DownResult>;
  /** What the engine does for one zone, until the signal ends it; never throws because of the engine. */
  watch(zone: string, onProgress: OnProgress, signal: AbortSignal): Promise<void>;
}

export function engineClient(socketPath: string): EngineClient {
  const json = <S extends v.GenericSchema>(path: string, schema: S) =>
    requestJson(socketPath, { method: 'GET', path }, schema);
  const done = async (options: EngineRequest) => void (await request(socketPath, options)).resume();
  const work = async <S extends v.GenericSchema>(options: EngineRequest, schema: S, onProgress: OnProgress) =>
    follow(await request(socketPath, options), options, { event: StreamEvent, result: schema }, onProgress);

  return {
    status: () => json('/nest/status', EngineStatus),
    stop: () => done({ method: 'POST', path: '/nest/stop' }),
    guests: (options) => json(`/nest/guests${options?.usage ? '?usage=1' : ''}`, v.array(Guest)),
    guest: (name) => json(`/nest/guests/${encodeURIComponent(name)}`, GuestDetail),
    console: (name, { tail, follow }, signal) =>
      request(socketPath, {
        method: 'GET',
        path: `/nest/guests/${encodeURIComponent(name)}/console?tail=${tail}${follow ? '&follow=1' : ''}`,
        signal,
      }),
    restartAgent: (name) => done({ method: 'POST', path: `/nest/guests/${encodeURIComponent(name)}/restart-agent` }),
    changeGuest: (name, verb, onProgress, signal) =>
      work({ method: 'POST', path: `/nest/guests/${encodeURIComponent(name)}/${verb}`, signal }, Guest, onProgress),
    resizeGuest: (name, body) =>
      requestJson(socketPath, { method: 'POST', path: guestPath(name, 'resize'), body }, Guest),
    snapshots: (guest) => json(snapshotPath(guest), v.array(GuestSnapshot)),
    takeSnapshot: (guest, name, onProgress, signal) =>
      work({ method: 'POST', path: snapshotPath(guest, name), signal }, GuestSnapshot, onProgress),
    restoreSnapshot: (guest, name, onProgress, signal) =>
      work({ method: 'POST', path: `${snapshotPath(guest, name)}/restore`, signal }, Guest, onProgress),
    deleteSnapshot: (guest, name) => done({ method: 'DELETE', path: snapshotPath(guest, name) }),
    deleteGuest: (name, { force }) =>
      done({ method: 'DELETE', path: `/nest/guests/${encodeURIComponent(name)}${force ? '?force=1' : ''}` }),
    sshAccess: (guest) => json(guestPath(guest, 'ssh'), SshAccess),
    dialSshd: (guest, signal) => upgrade(socketPath, { method: 'POST', path: guestPath(guest, 'ssh'), signal }),
    addGuestImage: (name, content, onProgress, signal) =>
      work(
        { method: 'POST', path: `/nest/guest-images/${encodeURIComponent(name)}`, upload: content, signal },
        GuestImage,
        onProgress,
      ),
    removeGuestImage: (name) => done({ method: 'DELETE', path: `/nest/guest-images/${encodeURIComponent(name)}` }),
    guestImages: () => json('/nest/guest-images', v.array(GuestImage)),
    buildGuestImage: ({ recipe, force }, onProgress, signal) => {
      const query = new URLSearchParams({ recipe, ...(force && { force: '1' }) });
      return work({ method: 'POST', path: `/nest/guest-images?${query.toString()}`, signal }, GuestImage, onProgress);
    },
    giveVolume: (name, zone) =>
      done({ method: 'PUT', path: `/nest/volumes/${encodeURIComponent(name)}`, body: { zone } }),
    disk: () => json('/nest/disk', DiskUsage),
    check: (repair, onProgress, signal) =>
      work({ method: 'POST', path: `/nest/check${repair ? '?repair=1' : ''}`, signal }, StoreCheck, onProgress),
    async build(build, context, onEvent, signal) {
      const upload = Readable.from(withRequest(build, context), { objectMode: false });
      const options = { method: 'POST' as const, path: '/nest/builds', upload, signal };
      return follow(await request(socketPath, options), options, { event: BuildEvent, result: BuildResult }, onEvent);
    },
    deployments: () => json('/nest/deployments', v.array(Deployment)),
    deploy: (deployment, onProgress, signal) =>
      work({ method: 'POST', path: '/nest/deployments', body: deployment, signal }, DeployResult, onProgress),
    down: (project, { volumes }, onProgress, signal) =>
      work(
        {
          method: 'DELETE',
          path: `/nest/deployments/${encodeURIComponent(project)}${volumes ? '?volumes=1' : ''}`,
          signal,
        },
        DownResult,
        onProgress,
      ),
    async watch(zone, onProgress, signal) {
      const path = `/nest/progress?zone=${encodeURIComponent(zone)}`;
      try {
        await work({ method: 'GET', path, signal }, v.undefined(), onProgress);
      } catch {
        // A view that ends early takes nothing from the work it shows.
      }
    },
  };
}

async function* withRequest(build: BuildRequest, context: Readable): AsyncGenerator<Buffer> {
  yield Buffer.from(`${JSON.stringify(build)}\n`);
  yield* context as AsyncIterable<Buffer>;
}
