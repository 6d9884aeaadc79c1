import { NestError } from '../errors.ts';
import { words } from './registry-words.ts';
import { ToolFailed } from './tool.ts';

/** What a registry's refusal means to the user; the words are those of containers/image 5 and of the registries' own. */
export function registryError(operation: 'pull' | 'push', name: string, error: unknown): unknown {
  if (!(error instanceof ToolFailed)) return error;
  const why = reason(error);
  const matched = CAUSES.find(({ words }) => words.test(why));
  if (!matched) return new NestError('internal', `${operation} \`${name}\`: ${why}`, { cause: error });
  const { code, say, hint } = matched;
  return new NestError(code, `${operation} \`${name}\`: ${say ?? why}`, { hint, cause: error });
}

/** skopeo logs `time="…" level=fatal msg="…"`; the message's last parts tell the cause. */
export function reason({ stderr }: ToolFailed): string {
  const message = /level=fatal msg="((?:[^"\\]|\\.)*)"/.exec(stderr)?.[1] ?? stderr.trim();
  return message.replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').replace(DETOURS, '').slice(-300);
}

/** What skopeo was about when it met the cause. */
const DETOURS =
  /^(Error parsing image name "[^"]*": |trying to reuse blob \S+ at destination: |(initializing source|copying system image from manifest list|reading manifest \S+ in \S+): )+/;

const CAUSES: { words: RegExp; code: NestError['code']; say?: string; hint: string }[] = [
  {
    words: /digest did not match|does not match (expected )?digest|size mismatch|manifest verification failed/i,
    code: 'image-invalid',
    hint: 'What the registry sends is damaged. Try again; if it stays so, have the image pushed anew.',
  },
  {
    words: words(/too ?many ?requests/, '429'),
    code: 'registry-failed',
    say: 'the registry refuses more requests for now (429)',
    hint: 'Wait some minutes, or log in: many registries grant more to known users.',
  },
  {
    words: /no image found in (manifest list|image index)|does not match the requested|no child with platform/i,
    code: 'unsupported',
    say: 'it is not made for linux/amd64',
    hint: 'Guests run linux/amd64: take an image made for it.',
  },
  {
    words: words(/manifest unknown|name unknown|not found/, '404'),
    code: 'image-not-found',
    say: 'not found: the registry has no such image or tag',
    hint: 'Check name and tag. An image in a file is brought in with `nest image load FILE`.',
  },
  {
    words: words(/unauthorized|access to the resource is denied|authentication required/, '403'),
    code: 'unauthorized',
    say: 'not found, or not to be had without a login',
    hint: 'Check the name; for a private image run `skopeo login REGISTRY` first.',
  },
  {
    words: words(
      /connection refused|no such host|timeout|unreachable|connection reset|broken pipe|EOF|server gave HTTP|x509|tls:/,
      '5\\d\\d',
    ),
    code: 'registry-failed',
    hint: 'The registry cannot be reached, or is not well. Check its address, or try again later.',
  },
];
