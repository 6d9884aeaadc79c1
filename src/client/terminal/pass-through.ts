/** What of an oclif flag matters for finding the end of the flags. */
export interface FlagShape {
  char?: string | undefined;
  type: 'boolean' | 'option';
}

/**
 * As in Docker, the first argument ends the flags: in `nest run -d web ls -l` the `-l` belongs to `ls`. oclif takes
 * flags anywhere up to `--`, so one is put before the first argument.
 */
export function endFlagsAtFirstArgument(argv: readonly string[], flags: Record<string, FlagShape>): string[] {
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (word === '--') return [...argv];
    if (!word.startsWith('-') || word === '-') return [...argv.slice(0, index), '--', ...argv.slice(index)];
    index += takesNextWord(word, flags) ? 2 : 1;
  }
  return [...argv];
}

function takesNextWord(word: string, flags: Record<string, FlagShape>): boolean {
  if (word.startsWith('--')) return !word.includes('=') && flags[word.slice(2)]?.type === 'option';
  // In a cluster such as `-itp 80:80` only the last flag may take a value; `-p80:80` carries its own.
  for (const [position, char] of Array.from(word.slice(1)).entries()) {
    const flag = Object.values(flags).find((candidate) => candidate.char === char);
    if (flag?.type === 'option') return position === word.length - 2;
  }
  return false;
}
