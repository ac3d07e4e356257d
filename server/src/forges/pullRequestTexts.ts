export interface PullRequestTexts {
  title: string;
  body: string;
}

/** How long texts may be; longer ones are refused by the forge. */
export interface TextLimits {
  title: number;
  /** What the title is counted in; the body always in units of UTF-16. */
  titleIn: 'units' | 'bytes';
  body: number;
  /** Ends a body that had to be cut. */
  cutMark: string;
}

/** Title and body as a forge accepts them. @param prefix stands before the title and counts with it */
export function fitTexts(texts: PullRequestTexts, limits: TextLimits, prefix = ''): PullRequestTexts {
  const { cutMark, titleIn } = limits;
  const size = (title: string) => (titleIn === 'bytes' ? Buffer.byteLength(title) : title.length);
  const title = prefix + texts.title.replace(/\s+/g, ' ').trim();
  return {
    title: size(title) > limits.title ? cutTitle(title, shorter => size(shorter) <= limits.title) : title,
    body: texts.body.length > limits.body ? cut(texts.body, limits.body - cutMark.length) + cutMark : texts.body,
  };
}

/** Whether texts say the same; a forge may change line ends and the space around. */
export function sameTexts(one: PullRequestTexts, other: PullRequestTexts): boolean {
  const normal = (value: string) => value.replaceAll('\r\n', '\n').trim();
  return normal(one.title) === normal(other.title) && normal(one.body) === normal(other.body);
}

/** The longest beginning of a title that fits with an ellipsis. */
function cutTitle(title: string, fits: (shorter: string) => boolean): string {
  let length = title.length;
  let shorter: string;
  do {
    shorter = `${cut(title, --length)}…`;
  } while (length > 0 && !fits(shorter));
  return shorter;
}

/** The first `length` units of a text, without half a character at the end. */
function cut(value: string, length: number): string {
  return value.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}
