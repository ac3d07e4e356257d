import * as vscode from 'vscode';
import type { SessionSummary } from '../../../protocol/session.ts';
import { fitsFilter, isEmptyFilter, parseFilter, type SessionFilter } from '../../../protocol/sessionFilter.ts';

const MEMORY = 'sandpiper.sessionFilter';

/** What this window's list of sessions shows. It belongs to the window: another one looks for something else. */
export class ListFilter implements vscode.Disposable {
  readonly #memory: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  #text: string;
  #filter: SessionFilter;

  readonly onDidChange = this.#changed.event;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
    this.#text = memory.get<string>(MEMORY) ?? '';
    this.#filter = parseFilter(this.#text);
  }

  /** As the person typed it. */
  get text(): string {
    return this.#text;
  }

  get active(): boolean {
    return !isEmptyFilter(this.#filter);
  }

  fits(summary: SessionSummary): boolean {
    return fitsFilter(summary, this.#filter);
  }

  set(text: string): void {
    if (text === this.#text) {
      return;
    }
    this.#text = text;
    this.#filter = parseFilter(text);
    void this.#memory.update(MEMORY, this.active ? text : undefined);
    this.#changed.fire();
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
