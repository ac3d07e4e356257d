import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Approval } from '../../../protocol/session.ts';
import type { RiskNote } from '../../../protocol/approvalRisk.ts';
import { riskOfApproval } from '../../../protocol/asking.ts';
import { usePage } from '../page.ts';
import { bytes } from '../text/format.ts';
import { toolIcon } from '../tools/toolIcon.ts';
import { blobText } from '../tools/blobs.ts';
import { describeToolInput } from '../tools/toolInput.ts';
import { withoutName } from '../tools/toolTitle.ts';
import { Elapsed } from './elapsed.tsx';
import { GivenAnswer } from './givenAnswer.tsx';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { Questions } from './questions.tsx';
import { ToolInputView } from './toolInputView.tsx';
import { useAction, type Action } from './useAction.ts';
import { useArmed } from './useArmed.ts';
import { VisibleText } from './visibleText.tsx';
import { t, told } from '../../../protocol/text.ts';

const headings = () =>
  ({ tool: t('Allow this?'), plan: t('Approve this plan?'), questions: t('The agent asks') }) as const;

export interface ApprovalCardProps {
  sessionId: string;
  approval: Approval;
}

/** Something the agent waits on. Never focused by itself and never answered by Enter: allowing takes an aimed click. */
export function ApprovalCard({ sessionId, approval }: ApprovalCardProps): JSX.Element {
  const { outbox } = usePage();
  const heading = useId();
  const action = useAction();
  const armed = useArmed();
  const answer = (decision: ApprovalDecision): void =>
    action.run(() => outbox.answer(sessionId, approval.id, decision));
  const given = outbox.answerTo(sessionId, approval.id);
  const { kind, questions } = approval;
  return (
    <section class={`approval ${armed ? '' : 'arming'}`} aria-labelledby={heading} data-approval={approval.id}>
      <h2 id={heading}>
        <Icon name={kind === 'tool' ? 'shield' : 'question'} class="attention" />
        <span>{headings()[kind]}</span>
        <span class="dim">
          <Icon name="clock" /> <Elapsed since={approval.at} />
        </span>
      </h2>
      <RiskLine approval={approval} />
      {approval.reason === undefined ? null : <p class="note">{approval.reason}</p>}
      {given ? (
        <>
          {kind === 'questions' ? null : <Asked sessionId={sessionId} approval={approval} />}
          <GivenAnswer answer={given} />
        </>
      ) : kind === 'questions' && questions ? (
        <Questions questions={questions} disabled={action.busy || !armed} onAnswer={answer} />
      ) : (
        <>
          <Asked sessionId={sessionId} approval={approval} />
          <Decision sessionId={sessionId} approval={approval} action={action} armed={armed} onAnswer={answer} />
        </>
      )}
      <Problem error={action.error} />
    </section>
  );
}

/** How much a person should look before they allow it. A hint, not a guard. */
function RiskLine({ approval }: { approval: Approval }): JSX.Element | null {
  const note = riskOfApproval(approval);
  return note ? <p class={note.risk === 'high' ? '' : 'dim'}>{riskText(note)}</p> : null;
}

function riskText({ risk, why }: RiskNote): string {
  switch (risk) {
    case 'low':
      return t('Low risk: {0}', told(why));
    case 'medium':
      return t('Medium risk: {0}', told(why));
    case 'high':
      return t('High risk: {0}', told(why));
  }
}

/** Exactly what would happen, whole: nothing of it is folded or cut. */
function Asked({ sessionId, approval }: ApprovalCardProps): JSX.Element {
  const { host } = usePage();
  const load = useAction();
  const [whole, setWhole] = useState<string | undefined>(undefined);
  const { blob, text } = approval.input;
  const input = describeToolInput(approval.name, whole ?? text);
  return (
    <div class="asked">
      {approval.kind === 'tool' ? (
        <p class="askedTool">
          <Icon name={toolIcon(approval.name)} />
          <strong>{approval.name}</strong>
          {input.kind === 'command' ? null : (
            <span>
              <VisibleText text={withoutName(approval.name, approval.title)} />
            </span>
          )}
        </p>
      ) : null}
      <div class="askedInput">
        <ToolInputView input={input} whole />
      </div>
      {blob && whole === undefined ? (
        <p class="problem">
          <Icon name="warning" class="attention" />
          <span>
            {t('This is only the beginning of {0}.', bytes(blob.bytes))}{' '}
            <button
              type="button"
              class="link"
              disabled={load.busy}
              onClick={() => load.run(async () => setWhole(await blobText(host, sessionId, blob)))}
            >
              {t('Show all of it')}
            </button>
          </span>
        </p>
      ) : null}
      <Problem error={load.error} />
    </div>
  );
}

interface DecisionProps extends ApprovalCardProps {
  action: Action;
  armed: boolean;
  onAnswer: (decision: ApprovalDecision) => void;
}

function Decision({ sessionId, approval, action, armed, onAnswer }: DecisionProps): JSX.Element {
  const { host } = usePage();
  const [reason, setReason] = useState('');
  const field = useId();
  const isPlan = approval.kind === 'plan';
  const disabled = action.busy || !armed;
  const message = reason.trim();
  return (
    <>
      <div class="actions">
        <button type="button" class="primary" disabled={disabled} onClick={() => onAnswer({ kind: 'allow' })}>
          {isPlan ? t('Approve Plan') : t('Allow Once')}
        </button>
        {approval.canAlwaysAllow ? (
          <button
            type="button"
            class="secondary"
            disabled={disabled}
            onClick={() => onAnswer({ kind: 'allow', always: true })}
          >
            {t('Always Allow in This Session')}
          </button>
        ) : null}
        <button
          type="button"
          class="secondary"
          disabled={disabled}
          onClick={() => onAnswer({ kind: 'deny', ...(message === '' ? {} : { message }) })}
        >
          {isPlan ? t('Keep Planning') : t('Deny')}
        </button>
        {isPlan && host.kind === 'vscode' ? (
          <button
            type="button"
            class="secondary"
            disabled={action.busy}
            onClick={() => action.run(() => host.request('openPlan', { sessionId, approvalId: approval.id }))}
          >
            {t('Comment')}
          </button>
        ) : null}
      </div>
      <label class="sr" for={field}>
        {t('Reason for the agent, when you deny')}
      </label>
      <input
        id={field}
        class="reason"
        type="text"
        maxLength={10_000}
        placeholder={
          isPlan ? t('What should be different? (optional)') : t('Why not, or what instead? (optional, with Deny)')
        }
        value={reason}
        onInput={event => setReason(event.currentTarget.value)}
      />
    </>
  );
}
