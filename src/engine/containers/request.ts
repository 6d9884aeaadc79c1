import type { ContainerSpec, Limits, LogLimits, RestartPolicy } from '../../../guest-agent/api.ts';
import type { AcceleratorChoice } from '../../api.ts';
import type { HostCopy, PortRequest } from '../state/record.ts';
import type { VolumeRequest } from '../volumes/request.ts';
import type { NetworkWish } from '../networks/attach.ts';
import type { Companions } from '../../placement/place.ts';
import type { HealthRequest } from './health.ts';

/** A container as a client asks for it. Null is left to the image. */
export interface CreateRequest {
  /** Null for a made-up one. */
  name: string | null;
  image: string;
  entrypoint: string[] | null;
  command: string[] | null;
  /** KEY=VALUE, or KEY to take away what the image sets. */
  env: string[];
  workingDirectory: string | null;
  user: string | null;
  hostname: string | null;
  stopSignal: string | null;
  stopSeconds: number | null;
  stdin: boolean;
  labels: Record<string, string>;
  limits: Limits;
  /** What it may do and has besides, where that is not the default. */
  settings: Pick<
    ContainerSpec,
    | 'security'
    | 'domainname'
    | 'groups'
    | 'rlimits'
    | 'sysctls'
    | 'tmpfs'
    | 'devices'
    | 'shmSize'
    | 'storageLimit'
    | 'oomScoreAdj'
    | 'init'
    | 'terminal'
  >;
  volumes: VolumeRequest[];
  copies: HostCopy[];
  /** Names of volumes to have again in place of new nameless ones, by destination. */
  reuse: Record<string, string>;
  network: NetworkWish;
  /** What others that are made next need in its guest, and the ids of all their networks. */
  companions?: Companions & { networks: string[] };
  restart: RestartPolicy;
  /** Null for the agent's own. */
  log: LogLimits | null;
  /** Null for the image's. */
  health: HealthRequest | null;
  /** "80/tcp". */
  exposed: string[];
  publish: PortRequest[];
  autoRemove: boolean;
  accelerator: AcceleratorChoice;
}
