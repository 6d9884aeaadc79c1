import type { Call } from './arguments.ts';
import { find, ids, statusOf } from './store.ts';

export function list({ options, flags }: Call): undefined {
  const containers = ids(options.root).map((id) => {
    const container = find(options.root, id);
    const status = statusOf(container);
    const { bundle, created } = container;
    return { id, pid: status === 'stopped' ? 0 : container.pid, status, bundle, created };
  });
  if (flags['quiet'] === true) for (const { id } of containers) console.log(id);
  else if (flags['format'] === 'json') console.log(JSON.stringify(containers));
  else
    print([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED'], ...containers.map((row) => Object.values(row).map(String))]);
  return undefined;
}

/** Columns as wide as their widest cell. */
export function print(rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
