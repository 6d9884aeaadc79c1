import { DatabaseSync } from 'node:sqlite';
import { NestError } from '../../errors.ts';

/**
 * Opens the state database and keeps its lock until the process ends, however it ends: whoever holds it is the engine of
 * this data directory.
 *
 * WAL, because a commit then costs microseconds and a crash of the engine loses nothing; in exclusive mode it needs no
 * shared memory file (https://sqlite.org/wal.html#noshm). With synchronous=NORMAL a power cut may lose the last
 * transactions: guests are gone then too, and reconciliation at start mends the rest.
 *
 * @returns `fresh` when there was no database before.
 * @throws NestError `conflict` when another engine holds it.
 */
export function openDatabase(file: string): { database: DatabaseSync; fresh: boolean } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    return { database, fresh: migrate(database, file) };
  } catch (error) {
    database?.close();
    throw asStateError(error, file);
  }
}

function migrate(database: DatabaseSync, file: string): boolean {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > MIGRATIONS.length)
    throw new NestError('unsupported', `open state \`${file}\`: written by a newer nest (schema ${version})`, {
      hint: 'start the engine with the newer nest, or upgrade this one',
    });
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN; ${statements}; PRAGMA user_version=${index + 1}; COMMIT`);
  }
  return version === 0;
}

function asStateError(error: unknown, file: string): unknown {
  const { errcode, message } = error as { errcode?: number; message?: string };
  if (errcode === SQLITE_BUSY)
    return new NestError('conflict', `open state \`${file}\`: another engine uses it`, {
      hint: '`nest engine status` shows the running engine; it is joined by every command',
      cause: error,
    });
  if (errcode !== undefined)
    return new NestError('internal', `open state \`${file}\`: ${message ?? 'unknown error'}`, {
      hint: `move ${file} away and start again: running containers are found again in their guests`,
      cause: error,
    });
  return error;
}

/** Each entry takes the schema one version up; entries are never edited once released. */
const MIGRATIONS = [
  `CREATE TABLE containers (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     phase TEXT NOT NULL CHECK (phase IN ('creating', 'created', 'removing')),
     guest TEXT,
     lost TEXT,
     record TEXT NOT NULL,
     state TEXT NOT NULL,
     bindings TEXT NOT NULL
   ) STRICT`,
  `CREATE TABLE networks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT`,
];

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
