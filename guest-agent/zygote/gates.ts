/**
 * Where a process on its way to a container waits for, or serves, the runtime that started it. A zygote's do not: it tells
 * them all at once.
 */
export interface Gates {
  /** It exists; its user namespace has no ID map yet. */
  born(): void;
  /** How many descriptors after that of the report stay open for `start`. */
  kept: number;
  /** How many descriptors after the standard streams the program gets: it has them already. */
  preserved: number;
  /** Descriptor of a socket that takes the terminal's other end. */
  console: number;
  /** Namespaces and mounts are there, the root is still the guest's: OCI runtime specification, hooks. */
  created(): void;
  /** It is the container in all but its program. */
  start(): void;
}

const pass = () => {};

export const NO_GATES: Gates = { born: pass, kept: 0, preserved: 0, console: -1, created: pass, start: pass };
