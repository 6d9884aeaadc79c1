import path from 'node:path';
import { ok, type Check } from '../check.ts';

export const guestImage: Check = {
  id: 'guest-image',
  what: 'Guest image',
  why: 'Guests boot it.',
  async examine({ paths, list, stat }) {
    // `current-<recipe>` is a link to the image that new guests boot (src/guest-image/image-store.ts).
    const links = (await list(paths.guestImages)).filter((name) => name.startsWith('current-'));
    const images = await Promise.all(links.map((name) => stat(path.join(paths.guestImages, name, 'image.json'))));
    const recipes = links
      .filter((_, index) => images[index] !== undefined)
      .map((name) => name.slice('current-'.length));
    if (recipes.length > 0) return ok(recipes.join(', '));
    // nest's own to make, so no failure of the host.
    return { status: 'warning', detail: 'none built', hint: 'nest guest-image build' };
  },
};

export const engine: Check = {
  id: 'engine',
  what: 'Engine',
  why: 'Commands start it when they need it.',
  async examine({ engineAnswers, paths }) {
    if (await engineAnswers()) return ok(`running, ${paths.engineSocket}`);
    return { status: 'note', detail: 'not running; commands start it' };
  },
};
