import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { Invalid, joinPath, quoted, type Place, type Problems } from './problems.ts';

/**
 * A YAML document with the place of every value: aliases resolved, merge keys merged, variables in values replaced.
 * A value behind an alias keeps the place where it is written: that is where it can be mended.
 */
export type Value = ScalarValue | ListValue | MapValue | BrokenValue;

export interface ScalarValue extends Place {
  kind: 'text';
  /** As written, after interpolation: `1.10` stays `1.10`. Null when nothing is written, or `null`. */
  text: string | null;
}

export interface ListValue extends Place {
  kind: 'list';
  items: Value[];
}

export interface MapValue extends Place {
  kind: 'map';
  entries: Map<string, Entry>;
}

/** Reported already: readers pass over it. */
export interface BrokenValue extends Place {
  kind: 'broken';
}

export interface Entry {
  key: Place;
  value: Value;
}

/**
 * @param expand replaces the variables of one value; throws Invalid
 * @returns undefined when the file is no YAML; `problems` has the reason
 */
export function readTree(file: string, expand: (text: string) => string, problems: Problems): Value | undefined {
  const lines = new LineCounter();
  const document = parse(file, lines, problems);
  if (document === undefined) return undefined;
  const build: Build = { lines, problems, expand, anchors: new Map(), size: 0 };
  try {
    return convert(document.contents, '', build);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    problems.report(TOP, error.message, error.advice);
    return undefined;
  }
}

interface Build {
  lines: LineCounter;
  problems: Problems;
  expand: (text: string) => string;
  anchors: Map<string, { value: Value; size: number }>;
  /** Values so far, those behind aliases counted at each use: bounds what readers of the tree walk through. */
  size: number;
}

/** Only the first syntax error: the ones after it are mostly its consequences. */
function parse(file: string, lines: LineCounter, problems: Problems): Document | undefined {
  const document = parseDocument(file, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // The library compares each key with all others; convertMap finds duplicates in a map.
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'error',
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error === undefined) return document;
  const place = { ...position(lines, error.pos[0]), path: '' };
  if (error.code === 'RESOURCE_EXHAUSTION') problems.report(place, 'is nested too deeply', 'flatten it');
  else problems.report(place, error.message, 'mend the YAML');
  return undefined;
}

function convert(node: Node | null, path: string, build: Build): Value {
  const place = { ...position(build.lines, node?.range?.[0] ?? 0), path };
  if (isAlias(node)) return convertAlias(node.source, place, build);
  if (path.length > PATH_LIMIT) throw new Invalid('is nested too deeply', 'flatten it');
  grow(build, 1);
  const before = build.size;
  const value = convertContent(node, place, build);
  const anchor = node?.anchor;
  if (anchor !== undefined) build.anchors.set(anchor, { value, size: build.size - before + 1 });
  return value;
}

function convertContent(node: Node | null, place: Place, build: Build): Value {
  if (isMap(node)) return { kind: 'map', ...place, entries: convertMap(node, place.path, build) };
  if (isSeq(node)) {
    const items = node.items.map((item, index) => convert(item as Node | null, `${place.path}[${index}]`, build));
    return { kind: 'list', ...place, items };
  }
  return isScalar(node) ? convertScalar(node, place, build) : { kind: 'text', ...place, text: null };
}

function convertScalar(node: Scalar, place: Place, build: Build): Value {
  if (node.value === null) return { kind: 'text', ...place, text: null };
  if (typeof node.value !== 'string') return { kind: 'text', ...place, text: node.source ?? '' };
  try {
    return { kind: 'text', ...place, text: build.expand(node.value) };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    build.problems.report(place, error.message, error.advice);
    return { kind: 'broken', ...place };
  }
}

function convertAlias(source: string, place: Place, build: Build): Value {
  const anchor = build.anchors.get(source);
  if (anchor === undefined) {
    build.problems.report(place, `alias ${quoted(`*${source}`)} has no anchor before it`, 'mend the name');
    return { kind: 'broken', ...place };
  }
  grow(build, anchor.size);
  return anchor.value;
}

function convertMap(map: YAMLMap, path: string, build: Build): Map<string, Entry> {
  const own = new Map<string, Entry>();
  const merged: Map<string, Entry>[] = [];
  for (const pair of map.items) {
    const keyNode = pair.key as Node;
    const name = isScalar(keyNode) ? String(keyNode.value) : '';
    const key = { ...position(build.lines, keyNode.range?.[0] ?? 0), path: joinPath(path, name) };
    const value = convert(pair.value as Node | null, key.path, build);
    const first = own.get(name);
    if (name === '<<') merged.push(...mergeSources(value, key, build));
    else if (first === undefined) own.set(name, { key, value });
    else build.problems.report(key, `is given twice, first on line ${first.key.line}`, 'remove one');
  }
  return mergeInto(own, merged, build);
}

/** https://yaml.org/type/merge.html: a map or a list of maps; earlier ones win, the map's own keys win over all. */
function mergeSources(value: Value, key: Place, build: Build): Map<string, Entry>[] {
  const sources = value.kind === 'list' ? value.items : [value];
  return sources.flatMap((source) => {
    if (source.kind === 'map') return [source.entries];
    if (source.kind === 'broken') return [];
    build.problems.report(key, 'merges something that is no map', 'merge a map, or a list of maps');
    return [];
  });
}

function mergeInto(own: Map<string, Entry>, sources: Map<string, Entry>[], build: Build): Map<string, Entry> {
  for (const source of sources) {
    grow(build, source.size);
    for (const [name, entry] of source) if (!own.has(name)) own.set(name, entry);
  }
  return own;
}

function grow(build: Build, values: number): void {
  build.size += values;
  if (build.size > NODE_LIMIT) throw new Invalid(`is larger than ${NODE_LIMIT} values, aliases resolved`, 'split it');
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

const TOP: Place = { line: 1, column: 1, path: '' };

/** The largest known public file has 29 services, that is less than 3,000 values. */
const NODE_LIMIT = 50_000;

/** Ends a recursion: every level of nesting makes the path longer. */
const PATH_LIMIT = 2048;
