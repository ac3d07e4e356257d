import type { JSX } from 'preact';

export interface PickerProps<Value extends string> {
  /** What is chosen, for screen readers and as the first line of the tooltip. */
  label: string;
  /** What the choice means. */
  title?: string;
  value: Value;
  options: readonly (readonly [value: Value, label: string])[];
  disabled?: boolean;
  onChange: (value: Value) => void;
}

/** A quiet list of choices. The editor's own: it is never clipped, and every screen reader knows it. */
export function Picker<Value extends string>(props: PickerProps<Value>): JSX.Element {
  const { label, title, value, options, disabled = false, onChange } = props;
  return (
    <select
      class="picker"
      aria-label={label}
      title={title === undefined ? label : `${label}: ${title}`}
      value={value}
      disabled={disabled}
      onChange={event => {
        const chosen = options.find(([option]) => option === event.currentTarget.value)?.[0];
        // What is shown is what is so; the choice shows when the relay has it.
        event.currentTarget.value = value;
        if (chosen !== undefined && chosen !== value) {
          onChange(chosen);
        }
      }}
    >
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}
