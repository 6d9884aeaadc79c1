/** Splits a stream's chunks into lines. What follows the last newline waits for the next chunk. */
export function lineSplitter(receive: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) receive(line);
  };
}
