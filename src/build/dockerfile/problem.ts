import { NestError } from '../../errors.ts';

/** What is wrong with one line of a Dockerfile. */
export class DockerfileProblem extends Error {
  override readonly name = 'DockerfileProblem';
  /** Counted from 1. */
  readonly line: number;
  readonly unsupported: boolean;

  constructor(line: number, message: string, { unsupported = false } = {}) {
    super(message);
    this.line = line;
    this.unsupported = unsupported;
  }
}

/** All problems of a file as one error, a line for each: `Dockerfile:3: COPY needs two words at least`. */
export function problemsError(fileName: string, problems: DockerfileProblem[]): NestError {
  const lines = problems.map(({ line, message }) => `${fileName}:${line}: ${message}`);
  const [first = '', ...more] = lines;
  return new NestError(problems.every(({ unsupported }) => unsupported) ? 'unsupported' : 'invalid-input', first, {
    ...(more.length > 0 && { hint: ['There are more:', ...more].join('\n') }),
  });
}
