import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

const root = path.join(import.meta.dirname, '..');

/** Rows of SPECIFICATION.md: a promise, and the test that holds it. */
const rows = readFileSync(path.join(root, 'SPECIFICATION.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (promise|---)/.test(line))
  .map((line) => line.slice(2, -2).split(/ +\| /) as [promise: string, proof: string]);

test('each promise of the specification is held by a test that exists, or is marked pending', (t) => {
  t.true(rows.length > 30);
  for (const [promise, proof] of rows) {
    if (proof.trim() === 'pending') continue;
    const [, file, title] = /^`(test\/[\w./-]+\.test\.ts)`: (.+?) *$/.exec(proof) ?? [];
    t.true(file !== undefined && title !== undefined, `${promise}: ${proof}`);
    t.true(
      titlesIn(file ?? '').some((each) => each.includes(title ?? '')),
      `${promise}: ${proof}`,
    );
  }
});

/** What tests, and macros of tests, are called in the file. */
function titlesIn(file: string): string[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const calls = source.matchAll(/(?:\btest(?:\.serial)?\(\s*|\btitle: [^\n]*=>\s*)(['"`])(.*?)\1/gs);
  return [...calls].map(([, , title = '']) => title);
}
