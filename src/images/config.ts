import * as v from 'valibot';
import { MAX_LAYERS } from './limits.ts';

/** A string that can be an argument of execve(2). */
const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'holds a zero byte'),
);
const list = v.array(text);

/** The `config` object of an image configuration (image-spec config.md); absent and null mean the same. */
const ContainerConfig = v.object({
  User: v.nullish(text, ''),
  ExposedPorts: v.nullish(
    v.record(
      text,
      v.pipe(
        v.looseObject({}),
        v.transform((): object => ({})),
      ),
    ),
    {},
  ),
  Env: v.nullish(list, []),
  Entrypoint: v.nullish(list, null),
  Cmd: v.nullish(list, null),
  WorkingDir: v.nullish(text, ''),
  Labels: v.nullish(v.record(text, text), {}),
  StopSignal: v.nullish(text, ''),
});

/** An image configuration, the parts nest uses. */
export const ConfigFile = v.object({
  created: v.nullish(v.pipe(v.string(), v.isoTimestamp()), '1970-01-01T00:00:00Z'),
  architecture: v.string(),
  os: v.string(),
  config: v.nullish(ContainerConfig, {}),
  rootfs: v.object({
    diff_ids: v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, 'no sha256 digest'))),
      v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`),
    ),
  }),
});

export type ConfigFile = v.InferOutput<typeof ConfigFile>;
