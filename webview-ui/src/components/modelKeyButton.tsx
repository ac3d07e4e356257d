import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** Asks for the model key, where the host asks for secrets. */
export function ModelKeyButton(): JSX.Element {
  const { host } = usePage();
  const action = useAction();
  return (
    <>
      <button
        type="button"
        class="secondary"
        disabled={action.busy}
        onClick={() => action.run(() => host.request('setModelKey', {}))}
      >
        {t('Set API Key…')}
      </button>
      <Problem error={action.error} />
    </>
  );
}
