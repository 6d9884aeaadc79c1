import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import type { NewVolume } from '../../volumes/store.ts';
import { LARGEST, SMALLEST, VolumeName, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';

/** @throws NestError `invalid-input`, `conflict` when one has the name. */
export async function createVolume(ctx: Context, volume: NewVolume): Promise<Volume> {
  const { name, size } = volume;
  checkVolumeName(name);
  if (size < SMALLEST || size > LARGEST)
    throw new NestError('invalid-input', `create volume \`${name}\`: ${size} bytes are no size of a volume`, {
      hint: 'from 8m to 16t',
    });
  const created = await ctx.volumes.store.create(volume);
  ctx.events.emit({ type: 'volume', action: 'create', id: created.name, attributes: attributesOf(created) });
  return created;
}

export function checkVolumeName(name: string): void {
  if (v.safeParse(VolumeName, name).success) return;
  throw new NestError(
    'invalid-input',
    `"${name.slice(0, 64)}" includes invalid characters for a volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    { hint: 'If you intended to pass a host directory, use an absolute path' },
  );
}

export const attributesOf = ({ zone, labels }: Volume): Record<string, string> => ({
  ...labels,
  driver: 'local',
  ...(zone !== null && { zone }),
});
