import * as vscode from 'vscode';
import type { SessionSummary } from '../../../protocol/session.ts';
import { checksOf } from '../../../protocol/specChecks.ts';
import { itemState, progressText, sessionsOfSpec, type SpecWork } from '../../../protocol/specWork.ts';
import { DisposableStore } from '../disposables.ts';
import { SPEC_SCHEME, type CommandId } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { placeOf } from './specFiles.ts';
import { t } from '../../../protocol/text.ts';

const STATES = {
  passed: `$(pass-filled) ${t('Passes')}`,
  failed: `$(error) ${t('Fails')}`,
  open: `$(circle-large-outline) ${t('Open##state')}`,
} as const;

/** What can be done with a spec and how far it is, over its lines; and what is wrong with its text, in the text. */
export class SpecLenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #store: SessionStore;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #problems = this.#disposables.add(vscode.languages.createDiagnosticCollection('sandpiper-spec'));
  /** How far a spec is in the session that worked on it last, with the seq that this is of. */
  readonly #work = new Map<string, { seq: number; work: SpecWork | undefined }>();

  readonly onDidChangeCodeLenses = this.#changed.event;

  constructor(relay: RelayLink, store: SessionStore) {
    this.#relay = relay;
    this.#store = store;
    this.#disposables.add(vscode.languages.registerCodeLensProvider({ scheme: SPEC_SCHEME }, this));
    this.#disposables.add(store.onDidChange(() => this.#changed.fire()));
    this.#disposables.add(vscode.workspace.onDidOpenTextDocument(document => void this.#diagnose(document)));
    this.#disposables.add(vscode.workspace.onDidChangeTextDocument(({ document }) => void this.#diagnose(document)));
    this.#disposables.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#problems.delete(uri)));
    vscode.workspace.textDocuments.forEach(document => void this.#diagnose(document));
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const place = placeOf(document.uri);
    if (!place || place.revision !== undefined) {
      return [];
    }
    const { specId } = place;
    const { readSpec } = await import('../../../protocol/specText.ts');
    const { problems } = readSpec(document.getText());
    const summary = latest(sessionsOfSpec(specId, [...this.#store.summaries]));
    const work = summary && (await this.#workOf(summary, specId));
    const lenses = problems.length > 0 ? [lens(0, problemsText(problems.length))] : actionsOf(specId);
    if (summary?.spec) {
      lenses.push(lens(0, `$(comment-discussion) ${progressText(summary.spec)}`, 'sandpiper.openSession', summary.id));
    }
    return [...lenses, ...(work ? itemLenses(document, work, summary.id) : [])];
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  async #workOf({ id, seq }: SessionSummary, specId: string): Promise<SpecWork | undefined> {
    const known = this.#work.get(id);
    if (known?.seq === seq) {
      return known.work;
    }
    const { spec } = await this.#relay.call('session.get', { sessionId: id });
    const work = spec?.spec.specId === specId ? spec : undefined;
    this.#work.set(id, { seq, work });
    return work;
  }

  async #diagnose(document: vscode.TextDocument): Promise<void> {
    const place = placeOf(document.uri);
    if (!place) {
      return;
    }
    const { version } = document;
    const { readSpec } = await import('../../../protocol/specText.ts');
    if (document.isClosed || document.version !== version) {
      return;
    }
    const problems = readSpec(document.getText()).problems.map(({ line, message }) => {
      const { range } = document.lineAt(Math.min(line, document.lineCount) - 1);
      const problem = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
      problem.source = 'Sandpiper';
      return problem;
    });
    this.#problems.set(document.uri, problems);
  }
}

function actionsOf(specId: string): vscode.CodeLens[] {
  return [
    lens(0, `$(play) ${t('Build')}`, 'sandpiper.buildSpec', specId),
    lens(0, `$(checklist) ${t('Run Checks')}`, 'sandpiper.checkSpec', specId),
  ];
}

function problemsText(count: number): string {
  return `$(error) ${count === 1 ? t('One line is not as a spec is written') : t('{0} lines are not as a spec is written', count)}`;
}

/** One over each item whose heading is as it was when the spec was built. */
function itemLenses(document: vscode.TextDocument, work: SpecWork, sessionId: string): vscode.CodeLens[] {
  return work.document.items.flatMap(({ title }, index) => {
    const line = lineOf(document, `## ${title}`);
    const checks = checksOf(work.document).filter(({ item }) => item === index);
    const failed = checks.flatMap(({ key }) => {
      const result = work.round?.results[key];
      return result?.outcome === 'failed' ? [result.detail] : [];
    });
    const detail = failed.length === 0 ? '' : `: ${failed[0] ?? ''}`;
    return line === undefined
      ? []
      : [lens(line, `${STATES[itemState(work, index)]}${detail}`, 'sandpiper.openSession', sessionId)];
  });
}

function lineOf(document: vscode.TextDocument, text: string): number | undefined {
  for (let line = 0; line < document.lineCount; line++) {
    if (document.lineAt(line).text.trimEnd() === text) {
      return line;
    }
  }
  return undefined;
}

function lens(line: number, title: string, command?: CommandId, argument?: string): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), {
    title,
    command: command ?? '',
    ...(argument === undefined ? {} : { arguments: [argument] }),
  });
}

function latest(summaries: readonly SessionSummary[]): SessionSummary | undefined {
  return [...summaries].sort((one, other) => other.updatedAt - one.updatedAt)[0];
}
