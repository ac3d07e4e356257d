import { effect, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { StreamingMarkdown } from '../text/streamingMarkdown.ts';

export interface MarkdownProps {
  /** Whole text, or text that is still being written. */
  source: string | ReadonlySignal<string>;
}

type View = Pick<StreamingMarkdown, 'set'>;

/** The parser is loaded with the first text; until then, and if it cannot be, the text stands there as it is. */
let parser: typeof StreamingMarkdown | undefined;

/** Agent text. Its nodes are made outside of the component tree, so that a delta costs only what it changes. */
export function Markdown({ source }: MarkdownProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<View | null>(null);
  const formatted = useRef(false);
  useLayoutEffect(() => {
    const parent = element.current;
    if (!parent) {
      return undefined;
    }
    let gone = false;
    const textNow = (): string => (typeof source === 'string' ? source : source.peek());
    const draw = (): void => view.current?.set(textNow(), typeof source === 'string');
    const format = (Parser: typeof StreamingMarkdown): void => {
      parent.replaceChildren();
      parent.classList.remove('plain');
      view.current = new Parser(parent);
      formatted.current = true;
    };
    if (parser && !formatted.current) {
      format(parser);
    } else if (!formatted.current) {
      view.current ??= plainView(parent);
      loadParser().then(
        Parser => {
          if (!gone) {
            format(Parser);
            draw();
          }
        },
        () => undefined,
      );
    }
    draw();
    const stop = typeof source === 'string' ? undefined : followText(source, draw);
    return () => {
      gone = true;
      stop?.();
    };
  }, [source]);
  return <div class="markdown" ref={element} />;
}

async function loadParser(): Promise<typeof StreamingMarkdown> {
  parser ??= (await import('../text/streamingMarkdown.ts')).StreamingMarkdown;
  return parser;
}

function plainView(parent: HTMLElement): View {
  parent.classList.add('plain');
  return {
    set: text => {
      parent.textContent = text;
    },
  };
}

/** Draws what comes after now, at most once a frame, however many deltas a frame brings. */
function followText(source: ReadonlySignal<string>, draw: () => void): () => void {
  let frame: number | undefined;
  let begun = false;
  const stop = effect(() => {
    void source.value;
    if (!begun) {
      begun = true;
      return;
    }
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      draw();
    });
  });
  return () => {
    stop();
    if (frame !== undefined) {
      cancelAnimationFrame(frame);
    }
  };
}
