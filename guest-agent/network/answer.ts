import type { Directory } from './directory.ts';
import {
  type Answer,
  CLASS_IN,
  encodeFailure,
  encodeReply,
  FORMAT_ERROR,
  NO_SUCH_NAME,
  NOT_IMPLEMENTED,
  parseQuery,
  REFUSED,
  TYPE_A,
  TYPE_ANY,
  TYPE_PTR,
} from './dns-message.ts';
import { addressBytes } from './ipv4.ts';

/**
 * The reply to one query. What the containers of a network are called is known in full, as is that no other name without a
 * dot exists; any other one is refused, so that the program asks its next server.
 *
 * @param bytes as a container sent them: anything
 * @param asker address of the container
 * @returns undefined for what deserves no reply, as it could be one itself
 */
export function answerQuery(bytes: Buffer, asker: string, directory: Directory): Buffer | undefined {
  const query = parseQuery(bytes);
  if (query === 'response') return undefined;
  if (query === 'malformed') return encodeFailure(bytes, FORMAT_ERROR);
  const { name, type, opcode } = query;
  const reply = (rcode: number, answers: Answer[] = []) => encodeReply(query, rcode, answers, TTL);
  if (opcode !== 0) return reply(NOT_IMPLEMENTED);
  if (query.class !== CLASS_IN) return reply(REFUSED);
  if (type === TYPE_PTR) {
    const target = directory.nameOf(reversed(name));
    return target === undefined ? reply(REFUSED) : reply(0, [{ type: TYPE_PTR, name: target }]);
  }
  const addresses = directory.addresses(name, asker);
  if (addresses.length === 0) return reply(name.includes('.') ? REFUSED : NO_SUCH_NAME);
  // There are IPv4 addresses only: a question for others has no answer, which is not the same as no such name.
  if (type !== TYPE_A && type !== TYPE_ANY) return reply(0);
  const some = turned(addresses).slice(0, ANSWER_LIMIT);
  return reply(
    0,
    some.map((address) => ({ type: TYPE_A, address: addressBytes(address) })),
  );
}

/** `2.1.89.10.in-addr.arpa` → 10.89.1.2 */
function reversed(name: string): string {
  return /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/i.exec(name)?.slice(1).reverse().join('.') ?? '';
}

/** Another one first each time, so that who takes the first spreads what it asks. */
function turned(addresses: string[]): string[] {
  turn = (turn + 1) % addresses.length;
  return [...addresses.slice(turn), ...addresses.slice(0, turn)];
}
let turn = 0;

/** With so many a reply has at most 512 bytes, whatever the name: it is never cut off. */
const ANSWER_LIMIT = 14;
/** Seconds: a container may end at any time. */
const TTL = 1;
