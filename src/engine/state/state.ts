import { containerTable, type ContainerTable } from './containers.ts';
import { openDatabase } from './database.ts';

/** What the engine must not forget. Images live in their store, guests in libvirt's metadata, deployments in labels. */
export interface State {
  containers: ContainerTable;
  /** True when there was no database: containers found in guests are then adopted. */
  fresh: boolean;
  /** Ends the lock on the data directory. */
  close(): void;
}

/** @throws NestError `conflict` when another engine has it open. */
export function openState(file: string): State {
  const { database, fresh } = openDatabase(file);
  return { containers: containerTable(database), fresh, close: () => database.close() };
}
