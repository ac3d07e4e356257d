import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Effort, PermissionMode, SettingsChange } from '../../../protocol/composing.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { EFFORT_WORDS, MODE_WORDS } from '../../../protocol/settingsText.ts';
import { usePage } from '../page.ts';
import { Picker } from './picker.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t, told } from '../../../protocol/text.ts';

/** Aliases that every version of Claude Code knows; any other name can be typed. */
const MODELS = ['opus', 'sonnet', 'haiku'];
const OTHER = 'other';
/** The agent's own choice. No level and no model is named so. */
const OWN = '';

/** Mode, model and effort of the agent. They change at once: from the next answer of the model on. */
export function SettingsPickers({ session }: { session: SessionState }): JSX.Element {
  const { host } = usePage();
  const action = useAction();
  const [naming, setNaming] = useState(false);
  const change = (settings: SettingsChange): void =>
    action.run(() => host.request('configure', { sessionId: session.id, ...settings }));
  const { model = OWN, effort = OWN, permissionMode } = session;
  const disabled = action.busy || session.archived;
  const models = model === OWN || MODELS.includes(model) ? MODELS : [model, ...MODELS];
  return (
    <>
      <Picker<PermissionMode>
        label={t('Permission mode')}
        title={`${told(MODE_WORDS[permissionMode].label)}. ${told(MODE_WORDS[permissionMode].meaning)}`}
        value={permissionMode}
        disabled={disabled}
        options={modesFor(session).map(mode => [mode, told(MODE_WORDS[mode].short)])}
        onChange={mode => change({ permissionMode: mode })}
      />
      {naming ? (
        <ModelName
          onDone={name => {
            setNaming(false);
            if (name !== undefined) {
              change({ model: name });
            }
          }}
        />
      ) : (
        <Picker
          label={t('Model')}
          value={model}
          disabled={disabled}
          options={[
            [OWN, t('Default model')],
            ...models.map((name): [string, string] => [name, name]),
            [OTHER, t('Other…')],
          ]}
          onChange={name => (name === OTHER ? setNaming(true) : change({ model: name === OWN ? null : name }))}
        />
      )}
      <Picker<Effort | typeof OWN>
        label={t('Effort')}
        value={effort}
        disabled={disabled}
        options={[
          [OWN, t('Default effort')],
          ...LEVELS.map((level): [Effort, string] => [level, told(EFFORT_WORDS[level])]),
        ]}
        onChange={level => change({ effort: level === OWN ? null : level })}
      />
      <Problem error={action.error} />
    </>
  );
}

const LEVELS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max'];

/** Without isolation nothing but the questions keeps the agent from the machine. */
function modesFor({ isolation }: SessionState): PermissionMode[] {
  return isolation === 'none' ? ['ask', 'acceptEdits', 'plan'] : ['ask', 'acceptEdits', 'plan', 'autopilot'];
}

function ModelName({ onDone }: { onDone: (name: string | undefined) => void }): JSX.Element {
  const [name, setName] = useState('');
  return (
    <input
      type="text"
      class="modelName"
      aria-label={t('Name of the model')}
      placeholder={t('Name of the model')}
      maxLength={200}
      spellcheck={false}
      value={name}
      ref={input => input?.focus()}
      onInput={event => setName(event.currentTarget.value)}
      onBlur={() => onDone(undefined)}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === 'Escape') {
          event.preventDefault();
          onDone(event.key === 'Enter' && name.trim() !== '' ? name.trim() : undefined);
        }
      }}
    />
  );
}
