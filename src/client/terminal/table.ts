import { styleText } from 'node:util';
import { escapeLine } from './escape.ts';

/** A column of a table. */
export interface Column<T> {
  title: string;
  value: (row: T) => string;
  /** Which columns give way first when the terminal is narrow: the highest. Those without one never do. */
  shrink?: number;
}

export interface Screen {
  /** Infinity where nobody looks (a pipe): then nothing is cut. */
  width: number;
  colors: boolean;
}

/** The screen that stdout is. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  const width = stream.isTTY ? stream.columns || 80 : Infinity;
  return { width, colors: stream.isTTY && stream.hasColors() };
}

/** Rows under a heading, aligned, without borders. Cells are escaped. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], screen: Screen): string {
  const cells = rows.map((row) => columns.map(({ value }) => escapeLine(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => length(row[index] ?? ''))),
  );
  narrow(widths, columns, screen.width);
  const heading = formatRow(
    columns.map(({ title }) => title),
    widths,
  );
  const styled = screen.colors ? styleText('bold', heading, { validateStream: false }) : heading;
  return [styled, ...cells.map((row) => formatRow(row, widths))].join('\n');
}

/** `Name:  value` lines, the values aligned; one without a name goes on with the one before. */
export function keyValues(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([key]) => key.length)) + 1;
  return entries
    .map(([key, value]) => `${(key === '' ? '' : `${key}:`).padEnd(width)}  ${escapeLine(value)}`)
    .join('\n');
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => fit(cell, widths[index] ?? 0))
    .join(GAP)
    .trimEnd();
}

/** Takes from the columns that give way first, down to a width that still tells something. */
function narrow(widths: number[], columns: readonly Column<never>[], available: number): void {
  const order = columns
    .map(({ shrink, title }, index) => ({ index, shrink: shrink ?? 0, least: Math.max(title.length, LEAST) }))
    .filter(({ shrink }) => shrink > 0)
    .sort((a, b) => b.shrink - a.shrink);
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - available;
  for (const { index, least } of order) {
    if (excess <= 0) return;
    const width = widths[index] ?? 0;
    const taken = Math.max(0, Math.min(excess, width - least));
    widths[index] = width - taken;
    excess -= taken;
  }
}

function fit(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text + ' '.repeat(width - characters.length);
  return `${characters.slice(0, width - 1).join('')}…`;
}

function length(text: string): number {
  return Array.from(text).length;
}

const GAP = '  ';
const LEAST = 8;
