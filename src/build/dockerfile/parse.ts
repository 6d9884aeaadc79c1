import type { Dockerfile, Instruction, InstructionBody } from './instruction.ts';
import { type RawInstruction, readLines } from './lines.ts';
import { PARSERS } from './parsers.ts';
import { DockerfileProblem, problemsError } from './problem.ts';

/**
 * Parses a Dockerfile (https://docs.docker.com/reference/dockerfile/). Variables are expanded later, as they depend on what
 * the stage has set by then.
 *
 * @param fileName for messages
 * @throws NestError `invalid-input` or `unsupported`, with every line that is wrong
 */
export function parseDockerfile(text: string, fileName: string): Dockerfile {
  const problems: DockerfileProblem[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DockerfileProblem)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  const raw = attempt(() => readLines(text));
  const instructions = (raw?.instructions ?? []).flatMap(
    (instruction) => attempt(() => parseInstruction(instruction, raw?.escape ?? '\\')) ?? [],
  );
  attempt(() => checkOrder(instructions));
  if (problems.length > 0) throw problemsError(fileName, problems);
  return { escape: raw?.escape ?? '\\', instructions };
}

/** One instruction from elsewhere: `ONBUILD` of a base image, `commit --change`. @throws NestError `invalid-input` */
export function parseOne(text: string, origin: string): Instruction {
  try {
    const [raw, more] = readLines(text).instructions;
    if (raw === undefined || more !== undefined) throw new DockerfileProblem(1, 'not one instruction');
    return parseInstruction(raw, '\\');
  } catch (error) {
    throw error instanceof DockerfileProblem ? problemsError(origin, [error]) : error;
  }
}

function parseInstruction(raw: RawInstruction, escape: string): Instruction {
  const { line, name, rest } = raw;
  const text = `${name} ${rest}`.trim();
  if (name === 'ONBUILD') {
    const [, trigger = '', triggerRest = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
    if (['', 'ONBUILD', 'FROM', 'MAINTAINER'].includes(trigger.toUpperCase()))
      throw new DockerfileProblem(line, `ONBUILD ${trigger}: not allowed as a trigger`);
    const instruction = parseInstruction({ ...raw, name: trigger.toUpperCase(), rest: triggerRest }, escape);
    return { kind: 'onbuild', instruction, text, line };
  }
  const parser = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  if (parser === undefined) throw new DockerfileProblem(line, `unknown instruction: ${name}`);
  if (rest === '') throw new DockerfileProblem(line, `${name} needs at least one argument`);
  const body: InstructionBody = parser({
    ...raw,
    escape,
    fail: (why, options) => new DockerfileProblem(line, `${name}: ${why}`, options),
  });
  return { ...body, line, text };
}

function checkOrder(instructions: Instruction[]): void {
  const first = instructions.find(({ kind }) => kind !== 'arg');
  if (first === undefined) throw new DockerfileProblem(1, 'the file has no FROM');
  if (first.kind !== 'from') throw new DockerfileProblem(first.line, 'no build stage: FROM comes first');
}
