import { groupsOf } from '../companions.ts';
import type { Service } from '../model.ts';
import { type Place, type Problems, quoted } from './problems.ts';

/** Reports services that a network ties together and that ask for guests which cannot be one: other zones, other shapes. */
export function reportApart(
  services: readonly Service[],
  places: ReadonlyMap<string, Place>,
  problems: Problems,
): void {
  for (const group of new Set(groupsOf(services).values())) {
    /** The first of each zone, and of each shape, before the one that is looked at. */
    const zones = new Map<string, Service>();
    const shapes = new Map<string, Service>();
    for (const service of group) {
      const { zone, shape } = service;
      const place = places.get(service.name);
      const foreign = zones.values().find((other) => other.zone !== zone);
      const other = shape === null ? undefined : shapes.values().find((each) => each.shape !== shape);
      if (place !== undefined && foreign !== undefined)
        problems.report(
          place,
          `${shared(foreign)}, but is in zone ${quoted(zone)}, not ${quoted(foreign.zone)}`,
          'give both one zone, or each a network of its own',
        );
      if (place !== undefined && other !== undefined)
        problems.report(
          place,
          `${shared(other)}, but asks for a guest of ${quoted(shape ?? '')}, not ${quoted(other.shape ?? '')}`,
          'give both one shape, or each a network of its own',
        );
      if (!zones.has(zone)) zones.set(zone, service);
      if (shape !== null && !shapes.has(shape)) shapes.set(shape, service);
    }
  }
}

const shared = (other: Service) => `shares a network, and so a guest, with ${quoted(other.name)}`;
