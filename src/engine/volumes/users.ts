import type { VolumeMount } from '../../../guest-agent/api.ts';
import { isUp } from '../containers/observe.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';

export const mountsOf = ({ record }: Container): VolumeMount[] => record.spec.volumes ?? [];

/** The containers that have a volume among their mounts, whether they run or not. */
export function usersOf(ctx: Context, volumeId: string): Container[] {
  return ctx.state.containers.all().filter((each) => mountsOf(each).some(({ volume }) => volume === volumeId));
}

/** All of its users only read it. */
export function isOnlyRead(ctx: Context, volumeId: string): boolean {
  return usersOf(ctx, volumeId).every((user) =>
    mountsOf(user).every(({ volume, readOnly }) => volume !== volumeId || readOnly === true),
  );
}

/** The containers of a guest that run with the volume, or are about to. */
export function runningWith(ctx: Context, volumeId: string, guestId: string, except = ''): Container[] {
  return usersOf(ctx, volumeId).filter(
    (user) =>
      user.guest === guestId && user.record.id !== except && (isUp(user) || ctx.volumes.starting.has(user.record.id)),
  );
}

/** "container `a`", "containers `a`, `b`" */
export function named(containers: Container[]): string {
  const names = containers.map(({ record }) => `\`${record.name}\``);
  return `container${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}
