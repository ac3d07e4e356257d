import { idPattern } from '../../../protocol/ids.ts';

/** A document of a spec: the newest revision, which can be written, or an earlier one. */
export interface SpecPlace {
  specId: string;
  revision?: number;
}

const SPEC = idPattern('spc');

/** `sandpiper-spec://<spec>/<title>.md`; the title is only for people, as the query `4` is for revision 4. */
export function toSpecParts(
  { specId, revision }: SpecPlace,
  title: string,
): { authority: string; path: string; query: string } {
  const name = title
    .replace(/[\p{Cc}/\\?#%:*"<>|]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 80);
  return { authority: specId, path: `/${name === '' ? 'Spec' : name}.md`, query: revision?.toString() ?? '' };
}

/** What such a URI names; undefined when it names nothing. */
export function fromSpecParts(uri: { authority: string; path: string; query: string }): SpecPlace | undefined {
  const revision = uri.query === '' ? undefined : Number(uri.query);
  const isRevision = revision === undefined || (Number.isInteger(revision) && revision > 0);
  // The editor looks for folders like `.vscode` and `.git` beside a document.
  return SPEC.test(uri.authority) && isRevision && /^\/[^/]+\.md$/.test(uri.path)
    ? { specId: uri.authority, ...(revision === undefined ? {} : { revision }) }
    : undefined;
}
