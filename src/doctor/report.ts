import type { Verdict } from './check.ts';
import type { Finding } from './examine.ts';

/** One aligned line per check, hints under what wants something, and a last line that sums up. */
export function formatReport(findings: readonly Finding[], env: NodeJS.ProcessEnv = process.env): string {
  const marks = hasUtf8(env) ? MARKS : ASCII_MARKS;
  const width = Math.max(...findings.map(({ check }) => check.what.length));
  const indent = ' '.repeat(width + 4);
  const lines = findings.flatMap(({ check, status, detail, hint }) => [
    `${marks[status]} ${check.what.padEnd(width)}  ${detail}`,
    ...(hint === undefined ? [] : [`${indent}Hint: ${hint}`]),
  ]);
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const failed = findings.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return 'nest has what it needs.';
  const mendable = failed.some(({ mend }) => mend !== undefined);
  const advice = mendable ? ' `nest doctor --fix` mends some of it.' : '';
  return `${failed.length} of ${findings.length} checks failed.${advice}`;
}

/** The locale's variables in the order of their precedence, locale(7). */
function hasUtf8(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
}

const MARKS: Record<Verdict['status'], string> = { ok: '✓', note: '·', warning: '!', failed: '✗' };
const ASCII_MARKS: Record<Verdict['status'], string> = { ok: '+', note: '-', warning: '!', failed: 'x' };
