import test from 'ava';
import { endFlagsAtFirstArgument } from '../../src/client/terminal/pass-through.ts';

const flags = {
  detach: { char: 'd', type: 'boolean' },
  interactive: { char: 'i', type: 'boolean' },
  publish: { char: 'p', type: 'option' },
  name: { type: 'option' },
} as const;

const ends = test.macro((t, line: string, expected: string) => {
  t.is(endFlagsAtFirstArgument(line.split(' '), flags).join(' '), expected);
});

test("the command's flags are not ours", ends, '-d web ls -l --help', '-d -- web ls -l --help');
test('a flag takes its value', ends, '--name x -p 80:80 web', '--name x -p 80:80 -- web');
test('a flag carries its value', ends, '--name=x -p80:80 web -p', '--name=x -p80:80 -- web -p');
test('the last flag of a cluster takes a value', ends, '-dip 80:80 web', '-dip 80:80 -- web');
test('a cluster carries a value', ends, '-dp80:80 web', '-dp80:80 -- web');
test('a line that ends the flags itself is kept', ends, '-d -- web --', '-d -- web --');
test('a lone dash is an argument', ends, '-d - -x', '-d -- - -x');
test('an unknown flag is left to the parser', ends, '-z --zz web', '-z --zz -- web');
