/**
 * Finds what a registry's client says: these words, or one of these HTTP statuses. A status is what the words around it call
 * so: digests, ports and tags may have the same digits.
 *
 * @param status of a regular expression: `404`, `5\\d\\d`
 */
export function words({ source }: RegExp, status: string): RegExp {
  return new RegExp(`${source}|\\b(?:http|status)[a-z: ]{0,64}[: ](?:${status})\\b`, 'i');
}
