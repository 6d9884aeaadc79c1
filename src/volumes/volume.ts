import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { VolumeId } from '../../guest-agent/api.ts';
import { ZoneName } from '../api.ts';

/** As Docker names volumes: https://github.com/moby/moby/blob/master/volume/local/local.go. */
export const VolumeName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/));

/** A disk that outlives guests and containers. */
export const Volume = v.object({
  id: VolumeId,
  name: VolumeName,
  /** Whom its files belong to; null until the first container uses it. */
  zone: v.nullable(ZoneName),
  /** Bytes that it can hold at most; the host gives them when they are written. */
  size: v.pipe(v.number(), v.integer(), v.minValue(1)),
  labels: v.record(v.string(), v.string()),
  /** Milliseconds since 1970. */
  createdAt: v.pipe(v.number(), v.integer()),
});
export type Volume = v.InferOutput<typeof Volume>;

/** 76 random bits: `v` tells its disk from a layer's, and all of it fits a SCSI serial. */
export const newVolumeId = () => `v${randomBytes(10).toString('hex').slice(1)}`;

/** Docker's mark of a volume that nobody named: it goes with its container where that is asked for. */
export const ANONYMOUS = 'com.docker.volume.anonymous';
export const isAnonymous = ({ labels }: Pick<Volume, 'labels'>) => Object.hasOwn(labels, ANONYMOUS);

export const DEFAULT_SIZE = 16 * 1024 ** 3;
/** Below it the journal of ext4 takes a large part; above it mkfs.ext4 takes seconds. Bytes. */
export const SMALLEST = 8 * 1024 ** 2;
export const LARGEST = 16 * 1024 ** 4;
