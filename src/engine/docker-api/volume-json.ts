import { randomBytes } from 'node:crypto';
import { ANONYMOUS, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { mountsOf, usersOf } from '../volumes/users.ts';

/** Docker's Volume, with its size and users always, and `Nest` for what Docker does not know. */
export async function volumeJson(ctx: Context, volume: Volume): Promise<Record<string, unknown>> {
  const { id, name, zone, size, labels, createdAt } = volume;
  const users = usersOf(ctx, id);
  return {
    Name: name,
    Driver: 'local',
    Mountpoint: ctx.volumes.store.disk(id),
    CreatedAt: new Date(createdAt).toISOString(),
    Labels: labels,
    Scope: 'local',
    Options: null,
    UsageData: { Size: await ctx.volumes.store.allocated(id), RefCount: users.length },
    Nest: {
      Zone: zone ?? '',
      Size: size,
      Guests: await guestsWith(ctx, volume),
      Containers: users.map(({ record }) => record.name),
    },
  };
}

/** Docker's MountPoint of each mount of a container. */
export function mountPoints(ctx: Context, container: Container): Record<string, unknown>[] {
  const { tmpfs = [] } = container.record.spec;
  return [
    ...container.record.copies.map(({ source, destination, readOnly }) => ({
      Type: 'bind',
      Source: source,
      Destination: destination,
      Mode: readOnly ? 'ro' : '',
      RW: !readOnly,
      Propagation: 'rprivate',
    })),
    ...mountsOf(container).map(({ volume: id, destination, readOnly = false }) => ({
      Type: 'volume',
      Name: ctx.volumes.store.get(id)?.name ?? '',
      Source: ctx.volumes.store.disk(id),
      Destination: destination,
      Driver: 'local',
      Mode: readOnly ? 'ro' : '',
      RW: !readOnly,
      Propagation: '',
    })),
    ...tmpfs.map(({ destination, options }) => ({
      Type: 'tmpfs',
      Source: '',
      Destination: destination,
      Mode: options.join(','),
      RW: !options.includes('ro'),
      Propagation: '',
    })),
  ];
}

/** HostConfig.Binds, as it would ask for the same again. */
export function binds(ctx: Context, container: Container): string[] | null {
  const all = mountsOf(container).flatMap(({ volume: id, destination, readOnly, copy }) => {
    const name = ctx.volumes.store.get(id)?.name;
    const options = [...(readOnly === true ? ['ro'] : []), ...(copy === false ? ['nocopy'] : [])].join(',');
    return name === undefined ? [] : `${name}:${destination}${options && ':'}${options}`;
  });
  for (const { source, destination, readOnly } of container.record.copies)
    all.push(`${source}:${destination}${readOnly ? ':ro' : ''}`);
  return all.length === 0 ? null : all;
}

/** The name that was asked for, or one that nobody can guess, with Docker's mark. */
export function volumeName(asked: string | null | undefined): { name: string; mark: Record<string, string> } {
  return asked ? { name: asked, mark: {} } : { name: randomBytes(32).toString('hex'), mark: { [ANONYMOUS]: '' } };
}

/** Names of those that have it attached now. */
async function guestsWith(ctx: Context, { id, zone }: Volume): Promise<string[]> {
  const guests = ctx.link.current();
  const candidates = guests?.list().filter((guest) => guest.zone === zone) ?? [];
  const having = await Promise.all(
    candidates.map(async (guest) => {
      const attached = (await guests?.attachedVolumes(guest.id).catch(() => [])) ?? [];
      return attached.some((each) => each.id === id) ? [guest.name] : [];
    }),
  );
  return having.flat();
}
