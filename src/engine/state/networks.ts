import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { ZoneName } from '../../api.ts';
import { parseInput } from '../input.ts';

const text = v.pipe(v.string(), v.maxLength(128 * 1024));

/** A network that somebody made. Its containers are in one zone and, there, in one guest. */
export const NetworkRecord = v.object({
  /** 64 hex digits. */
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  name: text,
  /** Null where nobody said: that of its containers. */
  zone: v.nullable(ZoneName),
  subnet: text,
  gateway: text,
  /** Without a default route. */
  internal: v.boolean(),
  labels: v.record(text, text),
  createdAt: v.pipe(v.number(), v.integer()),
});
export type NetworkRecord = v.InferOutput<typeof NetworkRecord>;

/** The engine's networks: read from memory, written through. */
export interface NetworkTable {
  all(): NetworkRecord[];
  /** By name, id, or a prefix of the id that fits one only. */
  get(reference: string): NetworkRecord | undefined;
  /** @throws NestError `not-found` */
  find(reference: string): NetworkRecord;
  /** @throws NestError `invalid-input` for what could not be read back */
  save(network: NetworkRecord): void;
  delete(id: string): void;
}

export function networkTable(database: DatabaseSync): NetworkTable {
  const upsert = database.prepare(
    `INSERT INTO networks (id, name, record) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record`,
  );
  const remove = database.prepare('DELETE FROM networks WHERE id = ?');
  const byId = new Map(
    database
      .prepare('SELECT record FROM networks')
      .all()
      .map((row) => v.parse(NetworkRecord, JSON.parse(String(row['record']))))
      .map((network) => [network.id, network]),
  );
  const get = (reference: string) =>
    byId.values().find(({ name }) => name === reference) ?? byId.get(reference) ?? byPrefix(byId, reference);
  return {
    all: () => [...byId.values()],
    get,
    find(reference) {
      const network = get(reference);
      if (network !== undefined) return network;
      throw new NestError('not-found', `network ${reference.slice(0, 128)} not found`, {
        hint: '`nest network ls` lists them, `nest network create` makes one',
      });
    },
    save(network) {
      parseInput(NetworkRecord, network, `save network \`${network.name}\``, 'network');
      upsert.run(network.id, network.name, JSON.stringify(network));
      byId.set(network.id, network);
    },
    delete(id) {
      remove.run(id);
      byId.delete(id);
    },
  };
}

function byPrefix(byId: Map<string, NetworkRecord>, reference: string): NetworkRecord | undefined {
  const matches = /^[0-9a-f]{4,64}$/.test(reference) ? [...byId].filter(([id]) => id.startsWith(reference)) : [];
  return matches.length === 1 ? matches[0]?.[1] : undefined;
}
