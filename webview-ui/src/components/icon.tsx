import type { JSX } from 'preact';

/** Drawn for a 16 pixel square, in the colour of the text around them. */
const paths = {
  agent:
    'M5 6.5h6a1.5 1.5 0 0 1 1.5 1.5v3.5A1.5 1.5 0 0 1 11 13H5a1.5 1.5 0 0 1-1.5-1.5V8A1.5 1.5 0 0 1 5 6.5zM8 6.5v-3M6.5 9.2v1M9.5 9.2v1M2 9v2M14 9v2',
  arrowDown: 'M8 3v9.5M4 8.8l4 4 4-4',
  arrowRight: 'M3 8h9.5M8.8 4l4 4-4 4',
  arrowUp: 'M8 13V3.5M4 7.3l4-4 4 4',
  branch:
    'M5 10.5v-5M5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11 6.5c0 2.5-2 3-6 4',
  check: 'M3 8.5l3.2 3.2L13 4.8',
  checkAll: 'M1.5 8.8l2.8 2.8 5.8-6.2M7.8 11.2l.5.4 6.2-6.2',
  chevron: 'M6 3.5L10.5 8 6 12.5',
  circle: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z',
  clock: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 5v3.2l2.2 1.3',
  close: 'M4 4l8 8M12 4l-8 8',
  denied: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM4.2 4.2l7.6 7.6',
  download: 'M8 2.5v8M4.5 7L8 10.5 11.5 7M3 13.5h10',
  edit: 'M3 13l.6-2.8 7.2-7.2a1.2 1.2 0 0 1 1.7 0l.5.5a1.2 1.2 0 0 1 0 1.7L5.8 12.4 3 13zM9.7 4.2l2.1 2.1',
  error: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM6 6l4 4M10 6l-4 4',
  external: 'M9 3h4v4M13 3L7.5 8.5M11.5 9v3.5a.5.5 0 0 1-.5.5H3.5a.5.5 0 0 1-.5-.5V5a.5.5 0 0 1 .5-.5H7',
  file: 'M4 2.5h5L12.5 6v7a.5.5 0 0 1-.5.5H4a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM9 2.5V6h3.5',
  folder: 'M2.5 4.5a1 1 0 0 1 1-1h3l1.5 1.5h4.5a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V4.5z',
  focus: 'M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 2v2M8 12v2M2 8h2M12 8h2',
  globe: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM2.5 8h11M8 2.5c3 3.2 3 7.8 0 11M8 2.5c-3 3.2-3 7.8 0 11',
  info: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 7.5v3.2M8 5.2v.2',
  list: 'M6 4h7.5M6 8h7.5M6 12h7.5M2.5 4h.5M2.5 8h.5M2.5 12h.5',
  more: 'M3.5 8h.2M7.9 8h.2M12.3 8h.2',
  plus: 'M8 3v10M3 8h10',
  pullRequest:
    'M4.5 10.5v-5M4.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.5 10.5V6A1.5 1.5 0 0 0 10 4.5H7.5M9 2.8L7.2 4.5 9 6.2',
  question: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM6.3 6.3A1.7 1.7 0 1 1 8.7 7.9c-.5.3-.7.6-.7 1.1M8 10.8v.2',
  search: 'M7 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM10 10l3.5 3.5',
  send: 'M8 13V3.5M4 7.3L8 3.3l4 4',
  shield: 'M8 2.2l4.8 1.6v3.8c0 3-2 5-4.8 6.2-2.8-1.2-4.8-3.2-4.8-6.2V3.8L8 2.2z',
  stop: 'M4.5 4.5h7v7h-7z',
  terminal: 'M2.5 3.5h11v9h-11zM4.8 6.2L6.8 8l-2 1.8M8 10h3',
  thought: 'M8 2.5a3.8 3.8 0 0 1 2 7c-.4.3-.5.6-.5 1v.5h-3v-.5c0-.4-.1-.7-.5-1a3.8 3.8 0 0 1 2-7zM6.7 13h2.6',
  tool: 'M9.8 3.2a3 3 0 0 0-3.6 4L2.8 10.6a1 1 0 0 0 0 1.4l1.2 1.2a1 1 0 0 0 1.4 0l3.4-3.4a3 3 0 0 0 4-3.6L10.9 8 8.9 7.1 8 5.1l1.8-1.9z',
  user: 'M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.4-2.6 2.3-4 5-4s4.6 1.4 5 4',
  warning: 'M8 2.8l5.8 10.4H2.2L8 2.8zM8 6.5v3.2M8 11.4v.2',
} as const;

export type IconName = keyof typeof paths;

/** An icon beside words that say the same, so it is hidden from screen readers. */
export function Icon({ name, class: extra = '' }: { name: IconName; class?: string }): JSX.Element {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
