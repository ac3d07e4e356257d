import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PermissionMode } from '../../../protocol/events.ts';
import { MODE_WORDS } from '../../../protocol/settingsText.ts';
import type { DraftContext } from '../../../protocol/webviewApi.ts';
import { usePage } from '../page.ts';
import { NEW_SESSION } from '../state/drafts.ts';
import { AttachButton } from './attachButton.tsx';
import { Icon } from './icon.tsx';
import { Isolation, type Consent } from './isolation.tsx';
import { AttachedImages } from './messageImages.tsx';
import { MessageField } from './messageField.tsx';
import { ModelKeyButton } from './modelKeyButton.tsx';
import { Problem } from './problem.tsx';
import { RepositoryLine } from './repositoryLine.tsx';
import { useAction } from './useAction.ts';
import { useImageFiles } from './useImageFiles.ts';
import { t, told } from '../../../protocol/text.ts';

/** The composer of a session that does not exist yet, and what it would start from. */
export function NewSession(): JSX.Element {
  const { model } = usePage();
  const context = model.draftContext.value;
  return (
    <div class="newSession">
      <div class="column">
        <div class="welcome">
          <Bird />
          <h2>{t('What should the agent do?')}</h2>
          <p class="dim">
            {t('It works in its own clone of your repository. Your files stay as they are until you take the changes.')}
          </p>
        </div>
        {context ? <Form context={context} /> : <Waiting />}
      </div>
    </div>
  );
}

function Waiting(): JSX.Element {
  const { model } = usePage();
  return (
    <p class="dim waitingLine">
      {model.connection.value.state === 'connected' ? t('Looking at the repository…') : t('Connecting to the relay…')}
    </p>
  );
}

function Form({ context }: { context: DraftContext }): JSX.Element {
  const { host, drafts, model } = usePage();
  const { defaults } = context;
  const [mode, setMode] = useState<PermissionMode>(defaults.permissionMode);
  const [modelName, setModelName] = useState(defaults.model ?? '');
  const [uncommitted, setUncommitted] = useState(defaults.includeUncommitted);
  const consent: Consent = useSignal(false);
  const action = useAction();
  const files = useImageFiles(NEW_SESSION);
  const draft = drafts.get(NEW_SESSION).trim();
  const images = drafts.imagesOf(NEW_SESSION);
  const connected = model.connection.value.state === 'connected';
  const isWriting = draft !== '' && connected && context.repository !== undefined;
  const ready = isWriting && !files.action.busy && (!context.needsConsent || consent.value);
  useEffect(() => {
    if (isWriting) {
      // It only saves time: without it the session starts as well.
      host.request('warm', {}).catch(() => undefined);
    }
  }, [isWriting]);
  const start = async (): Promise<void> => {
    const name = modelName.trim();
    const { sessionId } = await host.request('startSession', {
      prompt: draft,
      ...(images.length === 0 ? {} : { images: [...images] }),
      includeUncommitted: uncommitted && (context.repository?.uncommitted ?? 0) > 0,
      permissionMode: mode,
      ...(name === '' ? {} : { model: name }),
      ...(context.needsConsent ? { acceptNoIsolation: consent.value } : {}),
    });
    drafts.set(NEW_SESSION, '');
    drafts.takeImages(NEW_SESSION);
    if (model.sessionId.peek() !== sessionId) {
      await host.request('selectSession', { sessionId });
    }
  };
  const submit = (): void => {
    if (ready) {
      action.run(start);
    }
  };
  return (
    <form
      class="composer newComposer"
      {...files.events}
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <RepositoryLine context={context} />
      <Problem error={context.problem} />
      <div class="field">
        <MessageField
          draftId={NEW_SESSION}
          label={t('Task for the agent')}
          placeholder={t('Describe a task')}
          rows={3}
          onSubmit={submit}
        />
        {images.length === 0 ? null : <AttachedImages draftId={NEW_SESSION} />}
        <div class="fieldFoot">
          <AttachButton disabled={action.busy || files.action.busy} onClick={files.choose} />
          <ModeSelect mode={mode} onChange={setMode} />
          <button type="submit" class="primary send" disabled={!ready || action.busy} title={t('Start (Enter)')}>
            <Icon name="send" />
            <span>{action.busy ? t('Starting') : t('Start##action')}</span>
          </button>
        </div>
      </div>
      <p class="hint modeMeaning">{told(MODE_WORDS[mode].meaning)}.</p>
      <Problem error={files.action.error} />
      <Problem error={action.error} />
      <Uncommitted context={context} value={uncommitted} onChange={setUncommitted} />
      <Isolation context={context} consent={consent} />
      {context.modelKeyPresent ? null : <KeyNotice />}
      <Notes notes={context.notes} />
      <ModelName value={modelName} onChange={setModelName} />
    </form>
  );
}

function KeyNotice(): JSX.Element {
  return (
    <div class="notice warning">
      <Icon name="warning" class="attention" />
      <div>
        <p>{t('There is no Anthropic API key yet, so the agent cannot answer.')}</p>
        <div class="actions">
          <ModelKeyButton />
        </div>
      </div>
    </div>
  );
}

function ModelName({ value, onChange }: { value: string; onChange: (name: string) => void }): JSX.Element {
  return (
    <details class="more">
      <summary>
        <Icon name="chevron" class="twist" /> {t('Model')}
      </summary>
      <label>
        <span class="hint">{t("Name of the model; empty for the agent's own choice")}</span>
        <input
          type="text"
          maxLength={200}
          value={value}
          spellcheck={false}
          placeholder={t('Default')}
          onInput={event => onChange(event.currentTarget.value)}
        />
      </label>
    </details>
  );
}

function ModeSelect({
  mode,
  onChange,
}: {
  mode: PermissionMode;
  onChange: (mode: PermissionMode) => void;
}): JSX.Element {
  return (
    <select
      aria-label={t('What the agent may do without asking')}
      value={mode}
      onChange={event => {
        const chosen = event.currentTarget.value;
        if (isMode(chosen)) {
          onChange(chosen);
        }
      }}
    >
      {Object.entries(MODE_WORDS).map(([value, { label }]) => (
        <option key={value} value={value}>
          {told(label)}
        </option>
      ))}
    </select>
  );
}

function isMode(value: string): value is PermissionMode {
  return Object.hasOwn(MODE_WORDS, value);
}

interface UncommittedProps {
  context: DraftContext;
  value: boolean;
  onChange: (value: boolean) => void;
}

function Uncommitted({ context, value, onChange }: UncommittedProps): JSX.Element | null {
  const changed = context.repository?.uncommitted ?? 0;
  if (changed === 0) {
    return null;
  }
  return (
    <label class="option">
      <input type="checkbox" checked={value} onChange={event => onChange(event.currentTarget.checked)} />
      <span>
        {t('Include uncommitted changes')}
        <span class="hint">
          {changed === 1
            ? t('{0} changed or new file of your working copy', changed)
            : t('{0} changed or new files of your working copy', changed)}
        </span>
      </span>
    </label>
  );
}

function Notes({ notes }: { notes: readonly string[] }): JSX.Element | null {
  return notes.length === 0 ? null : (
    <ul class="notes">
      {notes.map(note => (
        <li key={note}>
          <Icon name="info" class="muted" />
          <span>{note}</span>
        </li>
      ))}
    </ul>
  );
}

/** The sandpiper. */
function Bird(): JSX.Element {
  return (
    <svg class="bird" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">
      <path d="M4 17l11-2.2M15 14.8c.3-3.4 2.6-5.8 5.8-5.8 3.4 0 5.7 2.5 5.9 5.9.2 3 1.4 4.3 4.6 5.5L44 25l-7 2.5c-2.4 4-6.6 6.5-11.4 6.5-6.6 0-11-4.4-11-10.5 0-3.2.2-5.6.4-8.7M22 34l-2 9M27.5 33.8L28 43M17 43h5M25.5 43h5" />
      <circle cx="20.5" cy="13.8" r="1" />
    </svg>
  );
}
