import { copyFile, stat, truncate } from 'node:fs/promises';

/** One line on stderr, which the CLI points to the engine's log. */
export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}

/**
 * Keeps the log from growing for ever: past LOG_LIMIT its content moves to `<file>.1`. The file stays the same, because
 * this process's stderr appends to it.
 */
export async function boundLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LOG_LIMIT) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

/** Bytes. */
const LOG_LIMIT = 5 * 1024 * 1024;
