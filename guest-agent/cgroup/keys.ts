/** "Flat keyed" files of cgroup-v2.rst, `KEY VALUE` a line, such as memory.stat. */
export function flatKeys(text: string): Record<string, number> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [key = '', value] = line.split(' ');
        return [key, Number(value)];
      }),
  );
}

/** "Nested keyed" ones, `KEY SUB=VALUE SUB=VALUE …` a line, such as io.stat. A line may have no values. */
export function nestedKeys(text: string): [string, Record<string, number>][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [key = '', ...pairs] = line.trim().split(' ');
      return [
        key,
        Object.fromEntries(
          pairs.map((pair) => {
            const [name = '', value] = pair.split('=');
            return [name, Number(value)];
          }),
        ),
      ];
    });
}
