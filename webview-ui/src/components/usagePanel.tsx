import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Usage } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { contextShare, spentTurns } from '../state/usage.ts';
import { cost, duration, tokens } from '../text/format.ts';
import { count, t } from '../../../protocol/text.ts';

const SHOWN_TURNS = 10;
/** From here on, making room is worth a click. */
const ROOM_FROM = 0.5;

/** How full the model's memory is, and what each turn used. */
export function UsagePanel({ session }: { session: SessionState }): JSX.Element {
  return (
    <section class="usagePanel" aria-label={t('Context and cost')}>
      <ContextLine session={session} />
      <TurnTable session={session} />
      <p class="note">
        {t(
          'Counted by the relay at the model, subagents included. A cache is read for a part of the price and written for more than it.',
        )}
      </p>
    </section>
  );
}

function ContextLine({ session }: { session: SessionState }): JSX.Element {
  const { context } = session;
  const share = contextShare(session);
  if (!context) {
    return <p>{t('The agent did not say yet how full the memory of the model is.')}</p>;
  }
  return (
    <p class="contextLine">
      {share === undefined || context.window === undefined ? (
        <span>{t('Context: {0} tokens', tokens(context.tokens))}</span>
      ) : (
        <>
          <span>{t('Context: {0} of {1} tokens', tokens(context.tokens), tokens(context.window))}</span>
          <meter
            min={0}
            max={1}
            high={0.8}
            optimum={0}
            value={share}
            aria-label={t('{0} % full', Math.round(share * 100))}
          />
          <span class="dim">{Math.round(share * 100)} %</span>
        </>
      )}
      {(share ?? 0) >= ROOM_FROM && session.commands?.includes('compact') === true ? <CompactButton /> : null}
    </p>
  );
}

/** It costs an answer of the model, so it is only put into the field. */
function CompactButton(): JSX.Element {
  const { model } = usePage();
  return (
    <button
      type="button"
      class="link"
      title={t('Puts the command into the field that summarises the conversation to make room')}
      onClick={() => model.receive({ type: 'compose', text: '/compact' })}
    >
      {t('Make Room…')}
    </button>
  );
}

function TurnTable({ session }: { session: SessionState }): JSX.Element | null {
  const [all, setAll] = useState(false);
  const turns = spentTurns(session);
  if (turns.length === 0) {
    return null;
  }
  return (
    <>
      <div class="tableScroll" tabIndex={0} role="region" aria-label={t('What each turn used')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Turn')}</th>
              <th scope="col">{t('Cost')}</th>
              <th scope="col">{t('In')}</th>
              <th scope="col">{t('Out')}</th>
              <th scope="col">{t('Cache read')}</th>
              <th scope="col">{t('Cache written')}</th>
              <th scope="col">{t('Time')}</th>
            </tr>
          </thead>
          <tbody>
            {turns.slice(0, all ? undefined : SHOWN_TURNS).map(({ number, agent }) => (
              <tr key={number}>
                <th scope="row">{number}</th>
                <Counts usage={agent.usage} />
                <td>{duration(agent.durationMs)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t('All')}</th>
              <Counts usage={session.usage} />
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
      {turns.length > SHOWN_TURNS && !all ? (
        <button type="button" class="link fold" onClick={() => setAll(true)}>
          {t('Show all {0}', count(turns.length, 'turn'))}
        </button>
      ) : null}
    </>
  );
}

function Counts({ usage }: { usage: Usage }): JSX.Element {
  return (
    <>
      <td>{cost(usage)}</td>
      <td>{tokens(usage.inputTokens)}</td>
      <td>{tokens(usage.outputTokens)}</td>
      <td>{tokens(usage.cacheReadTokens)}</td>
      <td>{tokens(usage.cacheWriteTokens)}</td>
    </>
  );
}
