import { NestError } from '../errors.ts';

/** A normalized name of an image: what Docker shows, with its defaults written out. */
export interface Reference {
  /** `docker.io/library/debian`, `localhost:5000/team/app`. */
  repository: string;
  tag?: string;
  /** `sha256:` and 64 hexadecimal digits. A digest makes a tag meaningless; Docker drops it too. */
  digest?: string;
}

/**
 * Parses a name as Docker does (https://github.com/distribution/reference): the first component is a registry only if it
 * holds a dot or a colon or is `localhost`; else the registry is docker.io, where `library/` holds the official images.
 *
 * @throws NestError `invalid-input`
 */
export function parseReference(name: string): Reference {
  const refuse = (why: string) =>
    new NestError('invalid-input', `image name \`${name.slice(0, 300)}\`: ${why}`, {
      hint: 'Names look like debian, debian:12, registry.example:5000/team/app:1 or NAME@sha256:DIGEST.',
    });
  const [, path, tag, digest] = SHAPE.exec(name) ?? [];
  if (path === undefined) throw refuse('not a valid name');
  if (digest !== undefined && !DIGEST.test(digest)) throw refuse('a digest is sha256: and 64 digits of 0-9a-f');
  if (/^[0-9a-f]{64}$/.test(path)) throw refuse('64 hexadecimal digits would be an image id');
  const repository = withRegistry(path);
  const [registry = '', ...components] = repository.split('/');
  if (!REGISTRY.test(registry)) throw refuse(`\`${registry}\` is no registry`);
  const wrong = components.find((component) => !COMPONENT.test(component));
  if (wrong !== undefined) throw refuse(`\`${wrong}\` must be lower-case letters and digits, joined by . _ __ or -`);
  if (repository.length > 255) throw refuse('longer than 255 characters');
  return digest === undefined ? { repository, tag: tag ?? 'latest' } : { repository, digest };
}

export function formatReference({ repository, tag, digest }: Reference): string {
  return digest === undefined ? `${repository}:${tag ?? 'latest'}` : `${repository}@${digest}`;
}

/** `hello` → `docker.io/library/hello:latest`. */
export function normalize(name: string): string {
  return formatReference(parseReference(name));
}

/** docker.io/library/debian:12 as people write it: debian:12. */
export function familiarName(reference: string): string {
  return reference.replace(/^docker\.io\/(library\/)?/, '');
}

/** Whether the registry is on this machine, where Docker speaks plain HTTP: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback({ repository }: Reference): boolean {
  const [registry = ''] = repository.split('/');
  const host = registry.replace(/:[0-9]+$/, '');
  return host === 'localhost' || host === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

function withRegistry(path: string): string {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const rest = path.slice(slash + 1);
  if (first !== 'localhost' && !/[.:A-Z]/.test(first)) return withRegistry(`docker.io/${path}`);
  if (first !== 'docker.io' && first !== 'index.docker.io') return path;
  return rest.includes('/') ? `docker.io/${rest}` : `docker.io/library/${rest}`;
}

/** Path, tag, digest. Bounded before anything else looks at it. */
const SHAPE = /^(?=.{1,512}$)([a-zA-Z0-9[][a-zA-Z0-9._:/[\]-]*?)(?::(\w[\w.-]{0,127}))?(?:@([^@]+))?$/;
const REGISTRY = /^(?:localhost|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
