import test from 'ava';
import { parseShape } from '../../src/placement/shape.ts';

const MIB = 1024 ** 2;

test('shapes have names, or are said exactly', (t) => {
  t.deepEqual(parseShape('small'), { vcpus: 1, memory: 512 * MIB });
  t.deepEqual(parseShape('standard'), { vcpus: 2, memory: 1024 * MIB });
  t.deepEqual(parseShape('large'), { vcpus: 4, memory: 4096 * MIB });
  t.deepEqual(parseShape('2x1536m'), { vcpus: 2, memory: 1536 * MIB });
  t.deepEqual(parseShape('16X8G'), { vcpus: 16, memory: 8192 * MIB });
});

test('what no guest can be is no shape', (t) => {
  for (const text of [
    '',
    'huge',
    '2',
    '2x',
    'x1g',
    '0x1g',
    '65x1g',
    '2x255m',
    '2x2000g',
    '2x1.5g',
    '2x1gb',
    'toString',
  ])
    t.is(parseShape(text), undefined, text);
});
