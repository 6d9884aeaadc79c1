import { companionsOf } from '../companions.ts';
import type { Service } from '../model.ts';
import { type Place, type Problems, quoted } from './problems.ts';

/** Reports services that a network ties together and that ask for guests which cannot be one: other zones, other shapes. */
export function reportApart(
  services: readonly Service[],
  places: ReadonlyMap<string, Place>,
  problems: Problems,
): void {
  for (const [index, service] of services.entries()) {
    const place = places.get(service.name);
    const earlier = companionsOf(services, service).filter((other) => services.indexOf(other) < index);
    const shared = (other: Service) => `shares a network, and so a guest, with ${quoted(other.name)}`;
    const foreign = earlier.find(({ zone }) => zone !== service.zone);
    const other = earlier.find(({ shape }) => shape !== null && service.shape !== null && shape !== service.shape);
    if (place !== undefined && foreign !== undefined)
      problems.report(
        place,
        `${shared(foreign)}, but is in zone ${quoted(service.zone)}, not ${quoted(foreign.zone)}`,
        'give both one zone, or each a network of its own',
      );
    if (place !== undefined && other !== undefined)
      problems.report(
        place,
        `${shared(other)}, but asks for a guest of ${quoted(service.shape ?? '')}, not ${quoted(other.shape ?? '')}`,
        'give both one shape, or each a network of its own',
      );
  }
}
