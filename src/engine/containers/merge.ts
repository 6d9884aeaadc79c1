import * as v from 'valibot';
import { LABELS, ZoneName } from '../../api.ts';
import { NestError } from '../../errors.ts';
import { parseShape, SHAPE_ADVICE, type Shape } from '../../placement/shape.ts';
import type { Image } from '../../images/images.ts';
import { stackIds } from '../../images/stack.ts';
import { parseInput } from '../input.ts';
import { ContainerRecord, type HostCopy } from '../state/record.ts';
import { mergeHealth } from './health.ts';
import type { CreateRequest } from './request.ts';
import { signalName } from './signal.ts';

/**
 * The record of a container: the request over the image's configuration, by Docker's rules
 * (https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact).
 *
 * @throws NestError `invalid-input`, `image-invalid`.
 */
export function mergeRecord(request: CreateRequest, image: Image, id: string, name: string): ContainerRecord {
  const operation = `create container \`${name}\``;
  const { config } = image;
  if (image.layers.length === 0) throw new NestError('image-invalid', `${operation}: image has no layers`);
  const { entrypoint, command } = mergeCommand(request, image);
  const argv = [...(entrypoint ?? []), ...(command ?? [])];
  if (argv.length === 0)
    throw new NestError('invalid-input', `${operation}: no command specified`, {
      hint: `image ${request.image} names none: give one after the image`,
    });
  const zone = zoneOf(request.labels[LABELS.zone], operation);
  guestWanted(request.labels, operation);
  const hostname = request.hostname ?? id.slice(0, 12);
  const health = mergeHealth(request.health, config);
  const record = {
    id,
    name,
    zone,
    reason: '',
    image: { reference: request.image, id: image.id },
    createdAt: Date.now(),
    autoRemove: request.autoRemove,
    labels: { ...withoutGuest(config.Labels), ...request.labels, [LABELS.zone]: zone },
    exposed: [...new Set([...Object.keys(config.ExposedPorts), ...request.exposed])],
    publish: request.publish,
    copies: request.copies,
    entrypoint,
    command,
    spec: {
      id,
      hostname,
      layers: stackIds(image.layers),
      argv,
      env: mergeEnvironment([DEFAULT_PATH, `HOSTNAME=${hostname}`, ...config.Env, ...request.env]),
      cwd: request.workingDirectory ?? (config.WorkingDir || '/'),
      user: request.user ?? config.User,
      stdin: request.stdin,
      stopSignal: signalName(request.stopSignal ?? (config.StopSignal || 'SIGTERM')),
      stopSeconds: request.stopSeconds ?? STOP_SECONDS,
      limits: request.limits,
      ...request.settings,
      ...(request.copies.length > 0 && { copies: request.copies.map(copyMount) }),
      restart: request.restart,
      ...(health !== undefined && { health }),
      ...(request.log !== null && { log: request.log }),
    },
  } satisfies v.InferInput<typeof ContainerRecord>;
  return parseInput(ContainerRecord, record, operation);
}

const copyMount = ({ destination, readOnly }: HostCopy) => ({ destination, ...(readOnly && { readOnly }) });

/** A zone is named by the request alone: an image must not choose whom its containers share a kernel with. */
function zoneOf(label: string | undefined, operation: string): string {
  const zone = v.safeParse(ZoneName, label ?? DEFAULT_ZONE);
  if (zone.success) return zone.output;
  throw new NestError('invalid-input', `${operation}: label \`${LABELS.zone}\` is not a zone's name`, {
    hint: 'up to 63 of a-z, 0-9, _ . and -, beginning with a letter or digit',
  });
}

/** What guest a container wants; undefined is any. @throws NestError `invalid-input` */
export function guestWanted(
  labels: Readonly<Record<string, string>>,
  operation: string,
): { shape: Shape | undefined; guestImage: string | undefined } {
  const guestImage = labels[LABELS.guestImage];
  const text = labels[LABELS.shape];
  if (text === undefined) return { shape: undefined, guestImage };
  const shape = parseShape(text);
  if (shape !== undefined) return { shape, guestImage };
  throw new NestError('invalid-input', `${operation}: \`${text.slice(0, 64)}\` is no shape of a guest`, {
    hint: SHAPE_ADVICE,
  });
}

/** The request alone says what guest its container wants. */
function withoutGuest(labels: Record<string, string>): Record<string, string> {
  const own: string[] = [LABELS.shape, LABELS.guestImage];
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.includes(name)));
}

/** An entrypoint of the request drops the image's command with the image's entrypoint; [""] is none at all. */
function mergeCommand(
  { entrypoint, command }: CreateRequest,
  { config }: Image,
): { entrypoint: string[] | null; command: string[] | null } {
  if (entrypoint === null || entrypoint.length === 0)
    return { entrypoint: config.Entrypoint, command: command?.length ? command : config.Cmd };
  return { entrypoint: entrypoint.length === 1 && entrypoint[0] === '' ? null : entrypoint, command };
}

/** Later ones win; a bare KEY takes it away. */
function mergeEnvironment(entries: string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at === -1) merged.delete(entry);
    else merged.set(entry.slice(0, at), entry);
  }
  return [...merged.values()];
}

const DEFAULT_ZONE = 'default';
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** As dockerd has it. */
const STOP_SECONDS = 10;
