import * as v from 'valibot';
import { NestError } from '../errors.ts';

/**
 * What came from outside, parsed. @param whole stands for the value itself where a problem has no path in it
 *
 * @throws NestError `invalid-input` with every problem: the operation, each path, and what is wrong there
 */
export function parseInput<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  operation: string,
  whole = 'body',
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? whole}: ${issue.message}`.slice(0, 512));
  throw new NestError('invalid-input', `${operation}: ${issues.slice(0, 20).join('; ')}`);
}
