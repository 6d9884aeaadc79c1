import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import type { Instance } from '../state/instance.ts';
import { ContainerMeta, type ContainerRecord } from '../state/record.ts';

/** Under this key the agent keeps what the engine needs to adopt the container. */
export const ANNOTATION = 'nest.container';

/** The engine's part of the record, sealed; the agent has the spec itself. */
export function annotations(instance: Instance, record: ContainerRecord): Record<string, string> {
  const sealed = instance.seal(JSON.stringify(v.parse(ContainerMeta, record)));
  if (sealed.length > ANNOTATION_LIMIT)
    throw new NestError('invalid-input', `create container \`${record.name}\`: labels and names exceed 128 KiB`, {
      hint: 'shorten the labels',
    });
  return { [ANNOTATION]: sealed };
}

/** As guest-agent/api.ts bounds a text. */
const ANNOTATION_LIMIT = 128 * 1024;
