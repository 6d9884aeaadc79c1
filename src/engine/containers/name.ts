import { randomInt } from 'node:crypto';

/** A free name for a container that was given none, such as `calm-heron`. */
export function inventName(taken: (name: string) => boolean): string {
  for (let tries = 0; ; tries += 1) {
    const name = `${pick(ADJECTIVES)}-${pick(BIRDS)}${tries < WITHOUT_NUMBER ? '' : `-${randomInt(10_000)}`}`;
    if (!taken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}

const WITHOUT_NUMBER = 8;

const ADJECTIVES = (
  'agile amber blithe brave bright brisk calm clever cosy crisp deft eager early fair fleet fond gentle glad ' +
  'golden hardy jolly keen kind light lively lucid merry mild neat nimble noble quick quiet ready rosy silent sleek ' +
  'snug spry steady sunny swift tidy vivid warm wise witty young'
).split(' ');

const BIRDS = (
  'auk avocet bittern bunting crane curlew dipper dotterel dove dunlin dunnock egret eider falcon finch fulmar gannet ' +
  'godwit goshawk grebe harrier heron hobby ibis jackdaw jay kestrel kite knot lapwing lark linnet magpie martin merlin ' +
  'osprey ouzel owl petrel pipit plover puffin rail raven robin rook ruff siskin skua snipe starling stork swallow swan ' +
  'swift teal tern thrush wagtail warbler wigeon wren'
).split(' ');
