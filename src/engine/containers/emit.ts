import type { Context } from '../context.ts';
import type { EngineEvent } from '../events.ts';
import type { Container } from '../state/record.ts';

export function emitContainer(
  ctx: Context,
  action: EngineEvent['action'],
  { record }: Container,
  attributes: Record<string, string> = {},
): void {
  const { id, name, labels, image } = record;
  ctx.events.emit({
    type: 'container',
    action,
    id,
    attributes: { ...labels, name, image: image.reference, ...attributes },
  });
}
