import type { Service } from './model.ts';

/** Services that must be in one guest with this one, since networks tie them together. A network is in one guest. */
export function companionsOf(services: readonly Service[], service: Service): Service[] {
  const found = new Set([service]);
  // A set that grows while it is walked: whoever shares a network with a companion is one.
  for (const one of found)
    for (const other of services) if (ties(one).some((tie) => ties(other).includes(tie))) found.add(other);
  found.delete(service);
  return services.filter((other) => found.has(other));
}

/** A guest has one shape: that of a service is its companions' too, where they ask for none. */
export function withSharedShapes(services: readonly Service[]): Service[] {
  return services.map((service) => ({
    ...service,
    shape: service.shape ?? companionsOf(services, service).find(({ shape }) => shape !== null)?.shape ?? null,
  }));
}

/** Names of the networks that it and its companions are in. */
export function networksOf(services: readonly Service[]): string[] {
  return services.flatMap(({ network }) =>
    network.mode === 'networks' ? network.endpoints.map((endpoint) => endpoint.network) : [],
  );
}

/** What it shares with whoever has the same. */
function ties(service: Service): string[] {
  const { container, network } = service;
  const joined = network.mode === 'container' ? [network.container] : [];
  return [...[container, ...joined].map((name) => `container ${name}`), ...networksOf([service])];
}
