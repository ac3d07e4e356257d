import * as vscode from 'vscode';
import { toSandpiperError } from '../../../protocol/errors.ts';
import { SPEC_SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { RelayFiles } from '../relayFiles.ts';
import { fromSpecParts, toSpecParts, type SpecPlace } from './specUri.ts';
import { t } from '../../../protocol/text.ts';

/** A revision as the editor has it. */
interface Version {
  revision: number;
  content: Uint8Array;
  at: number;
}

/** A person's text that was made from another revision than is the newest now. It is still in the editor. */
export interface StaleSpec {
  uri: vscode.Uri;
  /** The newest revision. */
  now: vscode.Uri;
  /** Saves it over what is there now. */
  overwrite: () => Promise<void>;
}

/**
 * Specs as documents of the editor, with its undo, its diff and its search. A save is the next revision; it is refused when
 * somebody else has written one since the text was read.
 */
export class SpecFiles extends RelayFiles {
  readonly #relay: RelayLink;
  readonly #refused = new vscode.EventEmitter<StaleSpec>();
  readonly #saved = new vscode.EventEmitter<string>();
  /** By URI: from which revision the text in the editor was made. */
  readonly #taken = new Map<string, Version>();
  readonly #overwriting = new Set<string>();

  readonly onDidRefuse = this.#refused.event;
  /** Tells the id of a spec that has another revision. */
  readonly onDidSave = this.#saved.event;

  constructor(relay: RelayLink) {
    super(SPEC_SCHEME, { isReadonly: false });
    this.#relay = relay;
  }

  async open(specId: string, title: string): Promise<vscode.TextDocument> {
    const uri = specUri({ specId }, title);
    // The title may be another than when it was opened.
    const open = vscode.workspace.textDocuments.find(
      ({ uri: other }) => placeOf(other)?.specId === specId && other.query === '',
    );
    const document = open ?? (await vscode.workspace.openTextDocument(uri));
    await vscode.window.showTextDocument(document, { preview: false });
    return document;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const place = parse(uri);
    const isUnsaved = vscode.workspace.textDocuments.some(
      document => document.isDirty && document.uri.toString() === uri.toString(),
    );
    // While a text is unsaved the file is to the editor what that was made from: only our own guard decides on a save.
    const taken = isUnsaved ? this.#taken.get(uri.toString()) : undefined;
    const { at, content, revision } = taken ?? (await this.#read(uri, place));
    return {
      type: vscode.FileType.File,
      ctime: 0,
      // Two revisions of one millisecond differ too.
      mtime: at + revision,
      size: content.byteLength,
      ...(place.revision === undefined ? {} : { permissions: vscode.FilePermission.Readonly }),
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const version = await this.#read(uri, parse(uri));
    this.#taken.set(uri.toString(), version);
    return version.content;
  }

  override async writeFile(uri: vscode.Uri, written: Uint8Array): Promise<void> {
    const { specId, revision } = parse(uri);
    if (revision !== undefined) {
      throw vscode.FileSystemError.NoPermissions(uri);
    }
    const key = uri.toString();
    const isOverwriting = this.#overwriting.delete(key);
    const taken = isOverwriting ? undefined : this.#taken.get(key);
    try {
      const { revision: expectedRevision } = taken ?? (await this.#read(uri, { specId }));
      const text = new TextDecoder().decode(written);
      const saved = await this.#relay.call('spec.save', { specId, expectedRevision, text });
      this.#taken.set(key, { revision: saved.revision, content: written, at: saved.at });
      this.#saved.fire(specId);
    } catch (thrown) {
      throw this.#refuse(uri, specId, thrown);
    }
  }

  /** The spec may be another now. */
  changed(specId: string): void {
    const open = vscode.workspace.textDocuments.filter(({ uri }) => placeOf(uri)?.specId === specId);
    this.tellChanged(open.map(({ uri }) => uri));
    this.#saved.fire(specId);
  }

  /** A spec is at a revision, whoever wrote it, or any of them may be at any: documents that show an earlier one are read anew. */
  follow(now?: { specId: string; revision: number }): void {
    const behind = vscode.workspace.textDocuments.filter(({ uri }) => {
      const place = placeOf(uri);
      const isMeant = place !== undefined && place.revision === undefined && (!now || place.specId === now.specId);
      return isMeant && (!now || this.#taken.get(uri.toString())?.revision !== now.revision);
    });
    this.tellChanged(behind.map(({ uri }) => uri));
  }

  override dispose(): void {
    this.#refused.dispose();
    this.#saved.dispose();
    super.dispose();
  }

  #refuse(uri: vscode.Uri, specId: string, thrown: unknown): Error {
    const { code, message, details } = toSandpiperError(thrown);
    const revision = details?.['revision'];
    if (code === 'stale' && typeof revision === 'number') {
      const overwrite = async (): Promise<void> => {
        this.#overwriting.add(uri.toString());
        const document = vscode.workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
        await document?.save();
        this.#overwriting.delete(uri.toString());
      };
      this.#refused.fire({ uri, now: specUri({ specId, revision }, nameOf(uri)), overwrite });
      return vscode.FileSystemError.Unavailable(t('{0} Your text is kept here, unsaved.', message));
    }
    return vscode.FileSystemError.Unavailable(message);
  }

  async #read(uri: vscode.Uri, { specId, revision }: SpecPlace): Promise<Version> {
    try {
      const found = await this.#relay.call('spec.get', { specId, ...(revision === undefined ? {} : { revision }) });
      return { revision: found.revision, content: Buffer.from(found.text), at: found.at };
    } catch (thrown) {
      const { code, message } = toSandpiperError(thrown);
      throw code === 'not_found'
        ? vscode.FileSystemError.FileNotFound(uri)
        : vscode.FileSystemError.Unavailable(message);
    }
  }
}

export function specUri(place: SpecPlace, title: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SPEC_SCHEME, ...toSpecParts(place, title) });
}

/** The spec that a document shows. */
export function placeOf(uri: vscode.Uri): SpecPlace | undefined {
  return uri.scheme === SPEC_SCHEME ? fromSpecParts(uri) : undefined;
}

export function nameOf({ path }: vscode.Uri): string {
  return path.slice(1).replace(/\.md$/, '');
}

function parse(uri: vscode.Uri): SpecPlace {
  const place = placeOf(uri);
  if (!place) {
    throw vscode.FileSystemError.FileNotFound(uri);
  }
  return place;
}
