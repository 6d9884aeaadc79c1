import { containerTable, type ContainerTable } from './containers.ts';
import { openDatabase } from './database.ts';
import { networkTable, type NetworkTable } from './networks.ts';

/** What the engine must not forget. Images live in their store, guests in libvirt's metadata, deployments in labels. */
export interface State {
  containers: ContainerTable;
  networks: NetworkTable;
  /**
   * Milliseconds since 1970; containers from before that, found in guests, are adopted. Set when there was no database: one
   * that was made later and is not in it has been removed. Null when there was one.
   */
  adoptBefore: number | null;
  /** Ends the lock on the data directory. */
  close(): void;
}

/** @throws NestError `conflict` when another engine has it open. */
export function openState(file: string): State {
  const { database, fresh } = openDatabase(file);
  return {
    containers: containerTable(database),
    networks: networkTable(database),
    adoptBefore: fresh ? Date.now() : null,
    close: () => database.close(),
  };
}
