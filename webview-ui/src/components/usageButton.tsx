import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { contextShare } from '../state/usage.ts';
import { cost, tokens } from '../text/format.ts';
import { t } from '../../../protocol/text.ts';

interface UsageButtonProps {
  session: SessionState;
  open: boolean;
  onToggle: () => void;
}

/** From here on it is worth knowing that the model's memory is nearly full. */
const NEARLY_FULL = 0.8;

/** How full the model's memory is and what the session cost, in a few characters; a click says more. */
export function UsageButton({ session, open, onToggle }: UsageButtonProps): JSX.Element | null {
  const { usage, context } = session;
  const share = contextShare(session);
  if (usage.costUsd === 0 && !context) {
    return null;
  }
  const full =
    share === undefined ? (context ? t('{0} tokens', tokens(context.tokens)) : '') : `${Math.round(share * 100)} %`;
  const parts = [...(full === '' ? [] : [full]), ...(usage.costUsd > 0 ? [cost(usage)] : [])];
  return (
    <button
      type="button"
      class={`link usage ${share !== undefined && share >= NEARLY_FULL ? 'attention' : ''}`}
      aria-expanded={open}
      aria-label={t('Context and cost: {0}', parts.join(', '))}
      title={t('How full the memory of the model is, and what this session cost')}
      onClick={onToggle}
    >
      {share === undefined ? null : (
        <meter min={0} max={1} high={NEARLY_FULL} optimum={0} value={share} aria-hidden="true" />
      )}
      {parts.join(' · ')}
    </button>
  );
}
