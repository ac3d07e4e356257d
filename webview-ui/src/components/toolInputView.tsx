import type { JSX } from 'preact';
import type { DiffLine } from '../text/lineDiff.ts';
import type { ToolInput } from '../tools/toolInput.ts';
import { DiffLines } from './diffLines.tsx';
import { FileLink } from './fileLink.tsx';
import { Foldable } from './foldable.tsx';
import { Markdown } from './markdown.tsx';
import { VisibleText } from './visibleText.tsx';

export interface ToolInputProps {
  input: ToolInput;
  /** Whole, as a person needs it who is asked to allow it. */
  whole: boolean;
}

const PREVIEW_LINES = 12;
/** A document of this many rows is as much as the page bears. */
const MAX_LINES = 5000;

/** What a tool was asked to do. */
export function ToolInputView({ input, whole }: ToolInputProps): JSX.Element | null {
  switch (input.kind) {
    case 'none':
      return null;
    case 'command':
      return (
        <>
          <Note text={input.note} />
          <Lines text={input.command} whole={whole} prompt />
        </>
      );
    case 'diff':
      return (
        <>
          <p class="where">
            <FileLink path={input.path} />
            <Note text={input.note} />
          </p>
          {input.parts.map((part, index) => (
            <DiffPart key={index} lines={part} whole={whole} />
          ))}
        </>
      );
    case 'file':
      return (
        <p class="where">
          <FileLink path={input.path} />
          <Note text={input.note} />
        </p>
      );
    case 'markdown':
      return (
        <div class="quoted">
          <Note text={input.note} />
          <Markdown source={input.text} />
        </div>
      );
    case 'todos':
      return (
        <ul class="todos">
          {input.todos.map((todo, index) => (
            <li key={index} class={todo.status}>
              <span aria-hidden="true">{todo.status === 'completed' ? '☑' : '☐'}</span>
              <span class="sr">{todo.status.replace('_', ' ')}: </span>
              {todo.text}
            </li>
          ))}
        </ul>
      );
    case 'text':
      return <Lines text={input.text} whole={whole} />;
    case 'fields':
      return (
        <dl class="fields">
          {input.fields.map(field => (
            <div key={field.name}>
              <dt>{field.name}</dt>
              <dd>
                <Lines text={field.value} whole={whole} />
              </dd>
            </div>
          ))}
        </dl>
      );
  }
}

function Note({ text }: { text: string | undefined }): JSX.Element | null {
  return text === undefined ? null : <span class="note">{text}</span>;
}

function DiffPart({ lines, whole }: { lines: readonly DiffLine[]; whole: boolean }): JSX.Element {
  return (
    <Foldable items={lines.slice(0, MAX_LINES)} preview={whole ? MAX_LINES : PREVIEW_LINES} noun="line">
      {shown => <DiffLines lines={shown} />}
    </Foldable>
  );
}

function Lines({ text, whole, prompt = false }: { text: string; whole: boolean; prompt?: boolean }): JSX.Element {
  return (
    <Foldable items={text.split('\n')} preview={whole ? Infinity : PREVIEW_LINES} noun="line">
      {shown => (
        <pre class={prompt ? 'command' : 'plain'} tabIndex={0}>
          <VisibleText text={shown.join('\n')} />
        </pre>
      )}
    </Foldable>
  );
}
