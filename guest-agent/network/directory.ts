import type { Container } from '../container/container.ts';
import { isRunning } from '../container/container.ts';
import { attachmentsOf } from './networks.ts';

/** Who is who on a network. */
export interface Directory {
  /**
   * Addresses of the running containers that go by this name, in any case, on a network of the one that asks.
   *
   * @param asker its address; one that nobody has sees this network alone
   */
  addresses(name: string, asker: string): string[];
  /** What the container with this address on this network is called. */
  nameOf(address: string): string | undefined;
}

/** Everything is looked up when it is asked: containers come and go. */
export function directory(containers: () => Iterable<Container>, network: string): Directory {
  const running = () => [...containers()].filter(isRunning);
  const owner = (address: string) => running().find(({ state }) => state.addresses?.[network] === address);
  return {
    addresses(name, asker) {
      const askers = owner(asker);
      const networks = new Set(
        askers === undefined ? [network] : attachmentsOf(askers.spec).map((each) => each.network),
      );
      const wanted = name.toLowerCase();
      return running().flatMap(({ spec, state }) =>
        attachmentsOf(spec)
          .filter((each) => networks.has(each.network) && each.names.some((one) => one.toLowerCase() === wanted))
          .flatMap((each) => state.addresses?.[each.network] ?? []),
      );
    },
    nameOf(address) {
      const container = owner(address);
      return container && attachmentsOf(container.spec).find((each) => each.network === network)?.names[0];
    },
  };
}
