import * as v from 'valibot';
import { MAX_LAYERS } from './limits.ts';

/** A string that can be an argument of execve(2). */
const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'holds a zero byte'),
);
const list = v.array(text);
const time = v.pipe(v.string(), v.isoTimestamp());
const nanoseconds = v.nullish(v.pipe(v.number(), v.minValue(0)), 0);

/** A set as Go writes it: keys with empty objects. */
const set = v.record(
  text,
  v.pipe(
    v.looseObject({}),
    v.transform((): object => ({})),
  ),
);

/** Docker's extension of the specification: `HEALTHCHECK`. Times are nanoseconds, 0 is "as Docker has it". */
const Healthcheck = v.object({
  /** `[]` inherits, `['NONE']` is none, `['CMD', …]` is run, `['CMD-SHELL', text]` is run by the shell. */
  Test: v.nullish(list, []),
  Interval: nanoseconds,
  Timeout: nanoseconds,
  StartPeriod: nanoseconds,
  StartInterval: nanoseconds,
  Retries: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});

/**
 * The `config` object of an image configuration (image-spec config.md) with Docker's extensions; absent and null mean the
 * same.
 */
const ContainerConfig = v.object({
  User: v.nullish(text, ''),
  ExposedPorts: v.nullish(set, {}),
  Env: v.nullish(list, []),
  Entrypoint: v.nullish(list, null),
  Cmd: v.nullish(list, null),
  Volumes: v.nullish(set, {}),
  WorkingDir: v.nullish(text, ''),
  Labels: v.nullish(v.record(text, text), {}),
  StopSignal: v.nullish(text, ''),
  Healthcheck: v.nullish(Healthcheck, null),
  Shell: v.nullish(list, null),
  OnBuild: v.nullish(list, []),
});

/** One instruction that made an image. */
const History = v.object({
  created: v.nullish(time, '1970-01-01T00:00:00Z'),
  created_by: v.nullish(v.string(), ''),
  author: v.nullish(v.string(), ''),
  comment: v.nullish(v.string(), ''),
  /** True when it changed no file, so that no layer belongs to it. */
  empty_layer: v.nullish(v.boolean(), false),
});

/** An image configuration, the parts nest uses. */
export const ConfigFile = v.object({
  created: v.nullish(time, '1970-01-01T00:00:00Z'),
  author: v.nullish(v.string(), ''),
  architecture: v.string(),
  os: v.string(),
  config: v.nullish(ContainerConfig, {}),
  rootfs: v.object({
    diff_ids: v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, 'no sha256 digest'))),
      v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`),
    ),
  }),
  /** Base first. */
  history: v.nullish(v.pipe(v.array(History), v.maxLength(10_000)), []),
});

export type ConfigFile = v.InferOutput<typeof ConfigFile>;
export type ImageConfig = v.InferOutput<typeof ContainerConfig>;
