// @ts-check
/*
 * No text that a person reads goes to them past `t` (protocol/text.ts): what VS Code shows, what stands in the page, and what
 * an error says. As an oxlint plugin: `house-texts/translated`.
 */

const FOLDERS = /^(extension\/src|webview-ui\/src|landing|client)\//;

/** Properties of objects and attributes of elements that are shown or read out. */
const SHOWN = new Set([
  'title',
  'label',
  'placeHolder',
  'placeholder',
  'prompt',
  'tooltip',
  'detail',
  'description',
  'openLabel',
  'saveLabel',
  'hint',
  'confirm',
  'body',
  'word',
  'meaning',
  'aria-label',
  'alt',
]);

const SHOWING =
  /(^|\.)(show(Information|Warning|Error)Message|setStatusBarMessage|createSourceControl|SandpiperError)$/;

/** Names, which are the same in every language. */
const NAMES = /^(Sandpiper|Markdown|JSON|HEAD|@selection)$/;
/** An example of an address or a path, and the name of an icon. */
const NO_TEXT = /^(https?:\/\/\S*|[a-z]+\.example\.com|\/\S+|[a-z]+-[a-z]+)$/;
/** What is said there is said to an agent, not to a person. */
const FOR_AGENTS = /(doors\/languageModelTools|manifest)\.ts$/;

/** @typedef {{type: string, value?: any, quasis?: {value: {cooked?: string}}[], name?: any, parent?: Node, [key: string]: any}} Node */

/** The words of a literal or a template, without what is put in and without icons. @param {Node | undefined} node */
function wordsOf(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') {
    return node.value;
  }
  if (node?.type === 'TemplateLiteral') {
    return (node.quasis ?? []).map(({ value }) => value.cooked ?? '').join(' ');
  }
  return '';
}

/** @param {Node | undefined} node */
function isRaw(node) {
  const words = wordsOf(node)
    .replace(/\$\([\w~-]+\)/g, '')
    .trim();
  return /\p{L}{2}/u.test(words) && !NAMES.test(words) && !NO_TEXT.test(words);
}

/** A condition gives one of two. @param {Node | undefined} node @returns {Node[]} */
function outcomes(node) {
  if (node?.type === 'ConditionalExpression') {
    return [...outcomes(node['consequent']), ...outcomes(node['alternate'])];
  }
  if (node?.type === 'LogicalExpression') {
    return outcomes(node['right']);
  }
  return node ? [node] : [];
}

/** @param {Node} callee */
function nameOf(callee) {
  return callee.type === 'MemberExpression' ? `.${callee['property']?.name ?? ''}` : (callee.name ?? '');
}

const translated = {
  /** @param {{cwd: string, filename: string, report(problem: {node: unknown, message: string}): void}} context */
  create(context) {
    const file = context.filename.replaceAll('\\', '/').replace(`${context.cwd.replaceAll('\\', '/')}/`, '');
    if (!FOLDERS.test(file) || FOR_AGENTS.test(file)) {
      return {};
    }
    /** @param {Node | undefined} node */
    const check = node => {
      for (const one of outcomes(node).filter(isRaw)) {
        context.report({ node: one, message: 'A person reads this: give it through t() of protocol/text.ts' });
      }
    };
    /** @param {Node} node */
    const call = node => {
      const name = nameOf(node['callee']);
      if (SHOWING.test(name)) {
        for (const argument of name.endsWith('SandpiperError') ? [node['arguments'][1]] : node['arguments']) {
          check(argument);
        }
      }
    };
    return {
      CallExpression: call,
      NewExpression: call,
      /** @param {Node} node */
      Property(node) {
        const name = node['key']?.name ?? node['key']?.value;
        if (!node['computed'] && SHOWN.has(name)) {
          check(node['value']);
        }
      },
      /** @param {Node} node */
      JSXAttribute(node) {
        if (SHOWN.has(node['name']?.name)) {
          check(node['value']?.type === 'JSXExpressionContainer' ? node['value'].expression : node['value']);
        }
      },
      /** @param {Node} node */
      JSXText(node) {
        if (/\p{L}{2}/u.test(String(node.value))) {
          context.report({ node, message: 'A person reads this: give it through t() of protocol/text.ts' });
        }
      },
      /** @param {Node} node */
      JSXExpressionContainer(node) {
        if (node['parent']?.type === 'JSXElement' || node['parent']?.type === 'JSXFragment') {
          check(node['expression']);
        }
      },
    };
  },
};

export default { meta: { name: 'house-texts' }, rules: { translated } };
