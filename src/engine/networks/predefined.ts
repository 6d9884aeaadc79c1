/** A network that always is, for containers that ask for it. Each guest has one of its own: its containers find each other by address alone. */
export const BRIDGE = {
  id: 'b71d6e'.padEnd(64, '0'),
  name: 'bridge',
  subnet: '172.17.0.0/16',
  gateway: '172.17.0.1',
} as const;

export const PREDEFINED = [
  BRIDGE,
  { id: '4057'.padEnd(64, '0'), name: 'host' },
  { id: '1073'.padEnd(64, '0'), name: 'none' },
] as const;

/** Docker's clients call the first one `default`. */
export const isPredefined = (reference: string): boolean =>
  reference === 'default' || PREDEFINED.some(({ id, name }) => name === reference || id === reference);
