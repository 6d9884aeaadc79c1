import type { Images } from '../images/images.ts';
import type { PublishedPorts } from '../network/published-ports.ts';
import type { StreamCounter } from './containers/streams.ts';
import type { projectLock } from './deploy/project-containers.ts';
import type { Events } from './events.ts';
import type { GuestLink } from './guests/link.ts';
import type { GuestWatch } from './guests/watch.ts';
import type { Seats } from './guests/seats.ts';
import type { Healer } from './guests/heal.ts';
import type { IdleGuests } from './guests/idle.ts';
import type { UnusedLayers } from './guests/layers.ts';
import type { Work } from './http/work.ts';
import type { Instance } from './state/instance.ts';
import type { State } from './state/state.ts';
import type { Volumes } from './volumes/volumes.ts';
import type { ZoneProgress } from './zone-progress.ts';

/** What the verbs of the engine work with; made once, in engine.ts. */
export interface Context {
  state: State;
  instance: Instance;
  images: Images;
  events: Events;
  link: GuestLink;
  watch: GuestWatch;
  seats: Seats;
  idle: IdleGuests;
  unusedLayers: UnusedLayers;
  volumes: Volumes;
  heal: Healer;
  ports: PublishedPorts;
  streams: StreamCounter;
  progress: ZoneProgress;
  work: Work;
  /** One deploy or down of a project at a time. */
  projects: ReturnType<typeof projectLock>;
  /** Ids that a request of this run is creating: reconciliation leaves them alone. */
  creating: Set<string>;
  /** Ids of guests that are being removed: they take no more containers. */
  leaving: Set<string>;
  /** One line into the engine's log. */
  log: (message: string) => void;
}
