/** A line that is longer than the limit. */
export class LineTooLong extends Error {}

/**
 * Puts lines together from the pieces of a stream. What follows the last newline waits for the next piece.
 *
 * @param limit bytes of the longest line
 */
export function lineBuffer(limit: number): (piece: Uint8Array) => string[] {
  let pieces: Uint8Array[] = [];
  let length = 0;
  return (piece) => {
    const lines: string[] = [];
    let rest = piece;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (length + end > limit) throw new LineTooLong();
      lines.push(Buffer.concat([...pieces, rest.subarray(0, end)]).toString());
      pieces = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    length += rest.length;
    if (length > limit) throw new LineTooLong();
    if (rest.length > 0) pieces.push(Uint8Array.from(rest));
    return lines;
  };
}

const NEWLINE = 0x0a;
