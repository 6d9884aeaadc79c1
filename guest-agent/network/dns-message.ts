/** A query for one name: RFC 1035, section 4. */
export interface Query {
  /** As it was asked, without the last dot. */
  name: string;
  /** TYPE_*, or another one. */
  type: number;
  class: number;
  opcode: number;
  /** Its bytes from header to the end of the question. */
  bytes: Buffer;
}

export type Answer = { type: typeof TYPE_A; address: Buffer } | { type: typeof TYPE_PTR; name: string };

/**
 * Reads the first 12 bytes and one question; what follows, such as EDNS options, is of no interest. Bytes that are no
 * printable ASCII are a name that nobody has.
 *
 * @returns `response` for what is none, and must not be answered; `malformed` for what is none either, but asks
 */
export function parseQuery(bytes: Buffer): Query | 'response' | 'malformed' {
  if (bytes.length < HEADER || bytes.readUInt16BE(2) & RESPONSE) return 'response';
  if (bytes.readUInt16BE(4) !== 1) return 'malformed';
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = bytes[at];
    // A longer one is compressed, and there is nothing before a question that it could refer to.
    if (length === undefined || length > LABEL_LIMIT || at + 1 + length > HEADER + NAME_LIMIT) return 'malformed';
    at += 1;
    if (length === 0) break;
    labels.push(bytes.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > bytes.length) return 'malformed';
  return {
    name: labels.join('.'),
    type: bytes.readUInt16BE(at),
    class: bytes.readUInt16BE(at + 2),
    opcode: (bytes.readUInt16BE(2) & OPCODE) >> 11,
    bytes: bytes.subarray(0, at + 4),
  };
}

/** The reply to a query, which repeats its question byte for byte. @param ttl seconds */
export function encodeReply(query: Query, rcode: number, answers: Answer[], ttl: number): Buffer {
  const records = answers.map((answer) => {
    const data = answer.type === TYPE_A ? answer.address : encodeName(answer.name);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc000 | HEADER, 0); // The name that was asked for: section 4.1.4.
    record.writeUInt16BE(answer.type, 2);
    record.writeUInt16BE(CLASS_IN, 4);
    record.writeUInt32BE(ttl, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  const reply = Buffer.concat([query.bytes, ...records]);
  writeHeader(reply, query.bytes, AUTHORITATIVE | RECURSION_AVAILABLE | rcode);
  reply.writeUInt16BE(1, 4);
  reply.writeUInt16BE(answers.length, 6);
  return reply;
}

/** A header alone: nothing of what was not understood comes back. */
export function encodeFailure(query: Buffer, rcode: number): Buffer {
  const reply = Buffer.alloc(HEADER);
  writeHeader(reply, query, rcode);
  return reply;
}

function writeHeader(reply: Buffer, query: Buffer, flags: number): void {
  reply.fill(0, 4, HEADER);
  reply.writeUInt16BE(query.readUInt16BE(0), 0);
  reply.writeUInt16BE(RESPONSE | (query.readUInt16BE(2) & (OPCODE | RECURSION_DESIRED)) | flags, 2);
}

/** Labels that are letters, digits, - and _: ours. */
const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);

const HEADER = 12;
const LABEL_LIMIT = 63;
const NAME_LIMIT = 255;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const AUTHORITATIVE = 0x0400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;

export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_ANY = 255;
export const CLASS_IN = 1;
export const FORMAT_ERROR = 1;
export const NO_SUCH_NAME = 3;
export const NOT_IMPLEMENTED = 4;
export const REFUSED = 5;
