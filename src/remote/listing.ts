/** Reads the XML of a bucket's list of objects: the few elements that it has to have. */

import type { ListedObject } from './object-store.ts';

interface Listing {
  readonly objects: readonly ListedObject[];
  /** Asks for the next page; undefined on the last. */
  readonly next: string | undefined;
}

export function listingOf(xml: string): Listing {
  const encoded = inXml(xml, 'EncodingType') === 'url';
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, content = '']) => {
    const key = inXml(content, 'Key') ?? '';
    return {
      name: encoded ? urlDecoded(key) : key,
      bytes: Number(inXml(content, 'Size') ?? 0),
      modified: Date.parse(inXml(content, 'LastModified') ?? ''),
    };
  });
  const truncated = inXml(xml, 'IsTruncated') === 'true';
  return { objects, next: truncated ? inXml(xml, 'NextContinuationToken') : undefined };
}

/** The text of the first element of that name. */
export function inXml(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    if (name.startsWith('#')) {
      const code = Number.parseInt(name.replace(/^#x?/i, ''), /^#x/i.test(name) ? 16 : 10);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    }
    return ENTITIES[name] ?? whole;
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A name that cannot be decoded is none of ours, and is refused as it stands. */
function urlDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
