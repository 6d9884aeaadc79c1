/** Markup that is already well-formed. */
export interface Xml {
  readonly markup: string;
}

type Value = string | number | Xml | readonly Xml[] | undefined;

/** A template for XML: values are escaped, fragments and lists of them go in as they are, undefined as nothing. */
export function xml(strings: TemplateStringsArray, ...values: Value[]): Xml {
  return { markup: strings.map((text, index) => (index === 0 ? text : render(values[index - 1]) + text)).join('') };
}

function render(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escape(value);
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}

function escape(text: string): string {
  // XML 1.0 has no way to write these (https://www.w3.org/TR/xml/#charsets); libvirt's own error would name a line only.
  if (UNWRITABLE.test(text)) throw new Error(`write ${JSON.stringify(text)} as XML: control character`);
  return text.replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

// eslint-disable-next-line no-control-regex
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u;
