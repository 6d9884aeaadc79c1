import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { Container } from './record.ts';

/** The engine's containers: read from memory, written through, one row and one transaction each. */
export interface ContainerTable {
  all(): Container[];
  get(id: string): Container | undefined;
  /** By id, name, or a prefix of the id that fits one only. Throws NestError `not-found`, or `invalid-input` when several fit. */
  find(reference: string): Container;
  byName(name: string): Container | undefined;
  /** Inserts, or replaces the one of the same id. Throws NestError `conflict` when another one has the name. */
  save(container: Container): void;
  /** Changes what is named of the row as it is now. @returns undefined when it is gone. */
  update(id: string, change: Partial<Omit<Container, 'record'>>): Container | undefined;
  delete(id: string): void;
}

export function containerTable(database: DatabaseSync): ContainerTable {
  const upsert = database.prepare(
    `INSERT INTO containers (id, name, phase, guest, lost, record, state, bindings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, phase = excluded.phase, guest = excluded.guest,
       lost = excluded.lost, record = excluded.record, state = excluded.state, bindings = excluded.bindings`,
  );
  const remove = database.prepare('DELETE FROM containers WHERE id = ?');
  const byId = new Map(
    database
      .prepare('SELECT phase, guest, lost, record, state, bindings FROM containers')
      .all()
      .map((row) => fromRow(row))
      .map((container) => [container.record.id, container]),
  );
  const byName = (name: string) => byId.values().find((container) => container.record.name === name);

  const save = (container: Container) => {
    const { record, phase, guest, lost, state, bindings } = container;
    const other = byName(record.name);
    if (other !== undefined && other.record.id !== record.id)
      throw new NestError('conflict', `create container \`${record.name}\`: the name is in use by ${shortId(other)}`, {
        hint: `nest rm ${record.name}, or choose another name`,
      });
    const json = [record, state, bindings].map((value) => JSON.stringify(value)) as [string, string, string];
    upsert.run(record.id, record.name, phase, guest, lost, ...json);
    byId.set(record.id, container);
  };

  return {
    all: () => [...byId.values()],
    get: (id) => byId.get(id),
    byName,
    find: (reference) => byId.get(reference) ?? byName(reference.replace(/^\//, '')) ?? byPrefix(byId, reference),
    save,
    update(id, change) {
      const container = byId.get(id);
      if (container === undefined) return undefined;
      const changed = { ...container, ...change };
      save(changed);
      return changed;
    },
    delete(id) {
      remove.run(id);
      byId.delete(id);
    },
  };
}

function byPrefix(byId: Map<string, Container>, reference: string): Container {
  const matches = /^[0-9a-f]{1,64}$/.test(reference) ? [...byId].filter(([id]) => id.startsWith(reference)) : [];
  if (matches.length > 1)
    throw new NestError('invalid-input', `find container \`${reference}\`: ${matches.length} ids begin so`, {
      hint: 'give more digits',
    });
  const [match] = matches;
  if (match === undefined)
    throw new NestError('not-found', `No such container: ${reference.slice(0, 128)}`, {
      hint: '`nest ps -a` lists them',
    });
  return match[1];
}

function fromRow(row: Record<string, unknown>): Container {
  const json = (name: string): unknown => JSON.parse(String(row[name]));
  return v.parse(Container, {
    phase: row['phase'],
    guest: row['guest'],
    lost: row['lost'],
    record: json('record'),
    state: json('state'),
    bindings: json('bindings'),
  });
}

function shortId(container: Container): string {
  return container.record.id.slice(0, 12);
}
