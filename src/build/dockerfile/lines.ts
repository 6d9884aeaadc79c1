import { DockerfileProblem } from './problem.ts';
import { splitWords } from './words.ts';

/** One instruction before its arguments are looked at: continued lines are joined, comments gone. */
export interface RawInstruction {
  /** Where it begins, counted from 1. */
  line: number;
  /** Upper case. */
  name: string;
  /** What follows the name. */
  rest: string;
  heredocs: Heredoc[];
}

/** https://docs.docker.com/reference/dockerfile/#here-documents */
export interface Heredoc {
  /** The word as it stands: `<<EOF`, `<<-"END"`. */
  word: string;
  name: string;
  /** Quoted names keep variables as they are. */
  expand: boolean;
  content: string;
}

export interface RawDockerfile {
  /** What continues a line and takes the meaning from the next character. */
  escape: '\\' | '`';
  instructions: RawInstruction[];
}

/** @throws DockerfileProblem */
export function readLines(text: string): RawDockerfile {
  const lines = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  const escape = escapeDirective(lines);
  const continued = escape === '\\' ? /\\[ \t]*$/ : /`[ \t]*$/;
  const instructions: RawInstruction[] = [];
  for (let next = 0; next < lines.length;) {
    const begin = next;
    let joined = '';
    for (let more = true; more && next < lines.length; next++) {
      const line = lines[next] ?? '';
      // Comments and empty lines do not end an instruction that goes on.
      if (/^\s*#/.test(line) || (line.trim() === '' && joined !== '')) continue;
      more = continued.test(line);
      joined += joined === '' ? line.trimStart().replace(continued, '') : line.replace(continued, '');
    }
    const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(joined.trim()) ?? [];
    if (name === '') continue;
    const heredocs = openHeredocs(name.toUpperCase(), rest, escape);
    for (const heredoc of heredocs) next = readHeredoc(lines, next, begin + 1, heredoc);
    instructions.push({ line: begin + 1 + leading(lines, begin), name: name.toUpperCase(), rest, heredocs });
  }
  return { escape, instructions };
}

/** Comments and empty lines before an instruction. */
function leading(lines: string[], from: number): number {
  let at = from;
  while (/^\s*(#|$)/.test(lines[at] ?? '') && at < lines.length - 1) at++;
  return at - from;
}

/** Parser directives stand before anything else; an unknown one, or any other line, ends them. */
function escapeDirective(lines: string[]): '\\' | '`' {
  for (const [index, line] of lines.entries()) {
    const [, key = '', value = ''] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.trim()) ?? [];
    if (!['syntax', 'escape', 'check'].includes(key.toLowerCase())) break;
    if (key.toLowerCase() !== 'escape') continue;
    if (value !== '\\' && value !== '`')
      throw new DockerfileProblem(index + 1, `escape=${value}: it is a backslash or a backtick`);
    return value;
  }
  return '\\';
}

function openHeredocs(name: string, rest: string, escape: string): (Heredoc & { dash: boolean })[] {
  if (!['RUN', 'COPY', 'ADD'].includes(name) || !rest.includes('<<')) return [];
  return splitWords(rest, escape).flatMap((word) => {
    const [, dash, double, single, bare] = HEREDOC.exec(word) ?? [];
    const delimiter = double ?? single ?? bare;
    if (delimiter === undefined) return [];
    return { word, name: delimiter, expand: bare !== undefined, content: '', dash: dash === '-' };
  });
}

/** @returns index of the line behind the heredoc */
function readHeredoc(lines: string[], from: number, line: number, heredoc: Heredoc & { dash: boolean }): number {
  for (let at = from; at < lines.length; at++) {
    const text = heredoc.dash ? (lines[at] ?? '').replace(/^\t+/, '') : (lines[at] ?? '');
    if (text === heredoc.name) return at + 1;
    heredoc.content += `${text}\n`;
  }
  throw new DockerfileProblem(line, `heredoc \`${heredoc.name}\` has no end`);
}

const HEREDOC = /^\d*<<(-?)(?:"([^"<]+)"|'([^'<]+)'|([^"'<\s|&;()]+))$/;
