import type { Service } from './model.ts';

/**
 * Services that must be in one guest, since networks tie them together: a network is in one guest.
 *
 * @returns for each service its group, itself among it, in the order given
 */
export function groupsOf(services: readonly Service[]): Map<Service, Service[]> {
  const first = firstOfGroups(services);
  const groups = Map.groupBy(services, (service) => first.get(service));
  return new Map(services.map((service) => [service, groups.get(first.get(service)) ?? [service]]));
}

/** A guest has one shape: that of a service is that of others of its group, where it asks for none. */
export function withSharedShapes(services: readonly Service[]): Service[] {
  const groups = groupsOf(services);
  const shapes = new Map(
    [...new Set(groups.values())].map((group) => [group, group.find(({ shape }) => shape !== null)?.shape ?? null]),
  );
  return services.map((service) => ({
    ...service,
    shape: service.shape ?? shapes.get(groups.get(service) ?? []) ?? null,
  }));
}

/** Names of the networks that they are in. */
export function networksOf(services: readonly Service[]): string[] {
  return services.flatMap(({ network }) =>
    network.mode === 'networks' ? network.endpoints.map((endpoint) => endpoint.network) : [],
  );
}

/** Each service's group, by the first service of it. */
function firstOfGroups(services: readonly Service[]): Map<Service, Service> {
  const tied = new Map<string, Service[]>();
  for (const service of services)
    for (const tie of ties(service)) {
      const known = tied.get(tie);
      if (known === undefined) tied.set(tie, [service]);
      else known.push(service);
    }
  const first = new Map<Service, Service>();
  for (const service of services) {
    if (first.has(service)) continue;
    const group = new Set([service]);
    // A set that grows while it is walked: whoever shares a tie with one of the group is of it. Each tie is walked once.
    for (const one of group) {
      first.set(one, service);
      for (const tie of ties(one)) {
        for (const other of tied.get(tie) ?? []) group.add(other);
        tied.delete(tie);
      }
    }
  }
  return first;
}

/** What it shares with whoever has the same. */
function ties(service: Service): string[] {
  const { container, network } = service;
  const joined = network.mode === 'container' ? [network.container] : [];
  return [...[container, ...joined].map((name) => `container ${name}`), ...networksOf([service])];
}
