/**
 * Takes Docker's detach keys, ctrl-p ctrl-q, out of what is typed. The first of them waits for the next key: a shell's "previous
 * line" comes a key late, as with Docker.
 *
 * @param detach called when both were typed
 * @returns what is left of some keys
 */
export function detachFilter(detach: () => void): (keys: Buffer) => Buffer {
  let held = false;
  return (keys) => {
    const rest: number[] = [];
    for (const key of keys) {
      if (held && key === CTRL_Q) {
        detach();
        return Buffer.from(rest);
      }
      if (held) rest.push(CTRL_P);
      held = key === CTRL_P;
      if (!held) rest.push(key);
    }
    return Buffer.from(rest);
  };
}

const CTRL_P = 0x10;
const CTRL_Q = 0x11;
