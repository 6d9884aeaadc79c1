import test from 'ava';
import { stackOf } from '../../src/images/stack.ts';
import { sha256 } from '../helpers/images.ts';

const layers = (count: number) => Array.from({ length: count }, (_, i) => ({ diffId: sha256(Buffer.from(String(i))) }));
const sizes = (count: number) => stackOf(layers(count)).map((disk) => disk.layers.length);

test('each layer is a disk of its own, named by its diff ID', (t) => {
  const [first, second] = layers(2);
  t.deepEqual(
    stackOf(layers(2)).map(({ id }) => id),
    [first?.diffId, second?.diffId],
  );
  t.deepEqual(new Set(sizes(64)), new Set([1]));
});

test('of many layers the lowest are one disk, the same for an image that has more on top', (t) => {
  t.deepEqual([sizes(65)[0], sizes(96)[0], sizes(97)[0], sizes(300)[0]], [32, 32, 64, 256]);
  t.deepEqual(
    [65, 96, 97, 1000].map((count) => stackOf(layers(count)).length),
    [34, 65, 34, 41],
  );
  t.is(stackOf(layers(65))[0]?.id, stackOf(layers(96))[0]?.id);
  t.not(stackOf(layers(65))[0]?.id, stackOf(layers(97))[0]?.id);
  t.deepEqual(
    stackOf(layers(300)).flatMap((disk) => disk.layers),
    layers(300),
  );
});

test('a merged disk is named by the chain ID of its layers', (t) => {
  const chain = layers(32)
    .map(({ diffId }) => diffId)
    .reduce((below, diffId) => sha256(Buffer.from(`${below} ${diffId}`)));
  t.is(stackOf(layers(65))[0]?.id, chain);
});

test('a layer that is there twice comes once, in its upper place', (t) => {
  const [a, b] = layers(2);
  t.deepEqual(
    stackOf([a, b, a].flatMap((layer) => layer ?? [])).map(({ id }) => id),
    [b?.diffId, a?.diffId],
  );
});
