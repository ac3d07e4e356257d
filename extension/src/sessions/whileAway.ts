import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { awayText, isEmptyAway, type AwaySummary } from '../../../protocol/awaySummary.ts';
import { toError } from '../../../protocol/errors.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { readSetting } from '../settings.ts';
import { elapsedWords } from './sessionGroups.ts';
import { count, dateTime, t } from '../../../protocol/text.ts';

/** Who comes back sooner has seen the notifications. */
const AWAY_MS = 10 * 60_000;
const SEEN_EVERY_MS = 60_000;

type Row = vscode.QuickPickItem & { sessionId?: string };

/**
 * Tells a person who comes back what happened meanwhile. When they were last here, in whatever window, the relay knows; what
 * happened it reads from the logs.
 */
export class WhileAway implements vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #log: Log;
  readonly #claimant = randomUUID();
  readonly #disposables = new DisposableStore();
  #isHere = false;
  /** What was told last, for whoever wants to read it again. */
  #last: AwaySummary | undefined;

  constructor(relay: RelayConnection, log: Log) {
    this.#relay = relay;
    this.#log = log;
    this.#disposables.add(vscode.window.onDidChangeWindowState(() => this.#look()));
    this.#disposables.add(relay.onDidChangeState(() => this.#look()));
    this.#disposables.add(relay.onDidChangeTarget(() => (this.#isHere = false)));
    const clock = setInterval(() => this.#isHere && this.#seen(), SEEN_EVERY_MS);
    this.#disposables.add({ dispose: () => clearInterval(clock) });
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** Shows what was told last, or what happened in the last day. */
  async show(): Promise<void> {
    const day = Date.now() - 24 * 60 * 60_000;
    await this.#choose(this.#last ?? (await this.#relay.call('attention.away', { since: day })));
  }

  #look(): void {
    const { focused, active } = vscode.window.state;
    const isHere = focused && active && this.#relay.state === 'connected';
    if (isHere === this.#isHere) {
      return;
    }
    this.#isHere = isHere;
    if (isHere) {
      // Nobody asked for it: an older relay, or one that was just lost, is no reason to disturb.
      this.#comeBack().catch((thrown: unknown) =>
        this.#log.warn('sessions', `What happened meanwhile was not told: ${toError(thrown).message}`),
      );
    } else {
      this.#seen();
    }
  }

  async #comeBack(): Promise<void> {
    const away = await this.#relay.call('attention.away', {});
    const { granted } = await this.#relay.call('attention.claim', {
      event: `away:${away.since}`,
      claimant: this.#claimant,
    });
    this.#seen();
    const isLong = away.until - away.since >= AWAY_MS;
    if (!granted || !isLong || isEmptyAway(away) || !readSetting('notifications.whileAway')) {
      return;
    }
    this.#last = away;
    const text = t('While you were away ({0}): {1}.', elapsedWords(away.until - away.since), awayText(away));
    const chosen = await vscode.window.showInformationMessage(text, t('Show…'));
    await (chosen === t('Show…') ? this.#choose(away) : undefined);
  }

  #seen(): void {
    if (this.#relay.state === 'connected') {
      this.#relay.call('attention.seen', {}).catch(() => {});
    }
  }

  async #choose(away: AwaySummary): Promise<void> {
    const rows = rowsOf(away);
    const chosen = await vscode.window.showQuickPick(
      rows.length > 0 ? rows : [{ label: t('Nothing happened in that time.') }],
      {
        title: t('Since {0}: {1}', dateTime(away.since), awayText(away) || t('nothing')),
        placeHolder: t('Session to open'),
        matchOnDescription: true,
        matchOnDetail: true,
      },
    );
    if (chosen?.sessionId !== undefined) {
      await vscode.commands.executeCommand('sandpiper.openSession', chosen.sessionId);
    }
  }
}

function rowsOf({ waiting, failed, finished }: AwaySummary): Row[] {
  const group = (label: string, rows: Row[]): Row[] =>
    rows.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...rows];
  const row = (
    icon: string,
    {
      sessionId,
      title,
      repository,
    }: AwaySummary['failed'][number] | AwaySummary['finished'][number] | AwaySummary['waiting'][number],
    detail: string,
  ): Row => ({ label: title, iconPath: new vscode.ThemeIcon(icon), description: repository, detail, sessionId });
  return [
    ...group(
      t('Waits for You'),
      waiting.map(each => row('bell-dot', each, each.asks.join(' · '))),
    ),
    ...group(
      t('Failed'),
      failed.map(each => row('error', each, each.message)),
    ),
    ...group(
      t('Finished'),
      finished.map(each =>
        row(
          'pass',
          each,
          t('{0}, {1} files changed, ${2}', count(each.turns, 'turn'), each.files, each.costUsd.toFixed(2)),
        ),
      ),
    ),
  ];
}
