import test from 'ava';
import { closest } from '../../src/client/terminal/suggest.ts';

const commands = ['ps', 'run', 'rm', 'down', 'deploy', 'vm list', 'guest-image build'];
const meant = test.macro((t, word: string, expected: string | undefined) => t.is(closest(word, commands), expected));

test('swapped letters', meant, 'rnu', 'run');
test('a letter too many', meant, 'pss', 'ps');
test('a letter too few', meant, 'deply', 'deploy');
test('two words', meant, 'vm lst', 'vm list');
test('nothing near', meant, 'frobnicate', undefined);
