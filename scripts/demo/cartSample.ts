import type { StepInput } from '../../test/support/modelScript.ts';

/*
 * What the sample session is recorded from: a small repository, what a person asks for, and what the scripted model does about
 * it with the tools of a real Claude Code.
 */

export const CART_FILES: Readonly<Record<string, string>> = {
  'README.md': `# Cart

Adds up a shopping cart and prints its receipt. Prices are whole cents, so that nothing is lost to fractions.

    import { receipt } from './cart.mjs';

    console.log(receipt({ lines: [{ name: 'Tea', price: 450, quantity: 2 }] }));

## Discounts

A cart may have \`discountPercent\`, which is taken off the sum of its lines.
`,
  'cart.mjs': `import { formatMoney } from './money.mjs';

/** What one line of the cart costs, in cents. */
export function lineTotal(line) {
  return line.price * line.quantity;
}

/** What all lines cost, before any discount. */
export function subtotal(cart) {
  return cart.lines.reduce((sum, line) => sum + lineTotal(line), 0);
}

/** What the discount takes off. */
export function discount(cart) {
  return (subtotal(cart) * cart.discountPercent) / 100;
}

/** What there is to pay. */
export function total(cart) {
  return subtotal(cart) - discount(cart);
}

/** One line for each product, and what there is to pay. */
export function receipt(cart) {
  const rows = cart.lines.map(line => [\`\${line.quantity} x \${line.name}\`, lineTotal(line)]);
  rows.push(['Total', total(cart)]);
  return rows.map(([label, cents]) => \`\${label.padEnd(20)}\${formatMoney(cents).padStart(10)}\`).join('\\n');
}
`,
  'money.mjs': `/** Cents as a person reads them. */
export function formatMoney(cents) {
  return \`$\${(cents / 100).toFixed(2)}\`;
}
`,
  'cart.test.mjs': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receipt, subtotal, total } from './cart.mjs';

const tea = { name: 'Tea', price: 450, quantity: 2 };
const cup = { name: 'Cup', price: 1299, quantity: 1 };

test('the subtotal adds up all lines', () => {
  assert.equal(subtotal({ lines: [tea, cup] }), 2199);
});

test('a cart without a discount costs its subtotal', () => {
  assert.equal(total({ lines: [tea, cup] }), 2199);
});

test('a discount is whole cents', () => {
  assert.equal(total({ lines: [tea, cup], discountPercent: 15 }), 1869);
});

test('the receipt ends with the total', () => {
  assert.match(receipt({ lines: [tea], discountPercent: 0 }), /Total +\\$9\\.00$/);
});
`,
};

export const CART_TITLE = 'Sample: Round the discount of a cart';
export const CART_MESSAGE = 'Initial cart with receipts and discounts';

export const CART_QUESTION = 'Which way should half a cent of a discount be rounded?';
export const CART_ANSWER = 'In favour of the customer';

const TEST = { tool: 'Bash', input: { command: 'node --test', description: 'Run the tests' } };

export const CART_TURNS: readonly { prompt: string; script: readonly StepInput[] }[] = [
  {
    prompt:
      'Two tests of the cart fail. Find out why and fix it. While you are there: show the discount on the receipt as a line of its own.',
    script: [
      {
        text: 'I will note what is to be done, then run the tests and read the code.',
        tool: 'TaskCreate',
        input: { subject: 'Find out why the tests fail', description: 'Run them', activeForm: 'Running the tests' },
      },
      {
        blocks: [
          {
            tool: 'TaskCreate',
            input: { subject: 'Round the discount', description: 'cart.mjs', activeForm: 'Rounding the discount' },
          },
          {
            tool: 'TaskCreate',
            input: { subject: 'Show it on the receipt', description: 'cart.mjs', activeForm: 'Changing the receipt' },
          },
          {
            tool: 'TaskCreate',
            input: { subject: 'Add tests and a word in the README', description: 'both', activeForm: 'Adding tests' },
          },
          { tool: 'TaskUpdate', input: { taskId: '1', status: 'in_progress' } },
        ],
      },
      TEST,
      {
        blocks: [
          { tool: 'Read', input: { file_path: 'cart.mjs' } },
          { tool: 'Read', input: { file_path: 'money.mjs' } },
          { tool: 'Read', input: { file_path: 'cart.test.mjs' } },
          { tool: 'Read', input: { file_path: 'README.md' } },
        ],
      },
      {
        blocks: [
          {
            text: 'Two causes: without `discountPercent` the total is `NaN`, and 15 % of 2199 cents is 329.85, which is never rounded. How a half is rounded is your decision, so I ask.',
          },
          {
            tool: 'AskUserQuestion',
            input: {
              questions: [
                {
                  question: CART_QUESTION,
                  header: 'Rounding',
                  multiSelect: false,
                  options: [
                    { label: CART_ANSWER, description: 'Half a cent more comes off' },
                    { label: 'In favour of the shop', description: 'Half a cent less comes off' },
                  ],
                },
              ],
            },
          },
        ],
      },
      {
        blocks: [
          { tool: 'TaskUpdate', input: { taskId: '1', status: 'completed' } },
          { tool: 'TaskUpdate', input: { taskId: '2', status: 'in_progress' } },
        ],
      },
      {
        text: 'In favour of the customer: half a cent more comes off, which is what `Math.round` does.',
        tool: 'Edit',
        input: {
          file_path: 'cart.mjs',
          old_string:
            '/** What the discount takes off. */\nexport function discount(cart) {\n  return (subtotal(cart) * cart.discountPercent) / 100;\n}',
          new_string:
            '/** What the discount takes off, in whole cents: half a cent is rounded in favour of the customer. */\nexport function discount(cart) {\n  const percent = cart.discountPercent ?? 0;\n  return Math.round((subtotal(cart) * percent) / 100);\n}',
        },
      },
      {
        blocks: [
          { tool: 'TaskUpdate', input: { taskId: '2', status: 'completed' } },
          { tool: 'TaskUpdate', input: { taskId: '3', status: 'in_progress' } },
        ],
      },
      {
        tool: 'Edit',
        input: {
          file_path: 'cart.mjs',
          old_string: "  rows.push(['Total', total(cart)]);\n",
          new_string:
            "  if (discount(cart) > 0) {\n    rows.push([`Discount ${cart.discountPercent} %`, -discount(cart)]);\n  }\n  rows.push(['Total', total(cart)]);\n",
        },
      },
      {
        text: 'A negative amount would read `$-3.30`, so the sign goes in front.',
        tool: 'Edit',
        input: {
          file_path: 'money.mjs',
          old_string: '  return `$${(cents / 100).toFixed(2)}`;\n',
          new_string:
            "  const sign = cents < 0 ? '-' : '';\n  return `${sign}$${(Math.abs(cents) / 100).toFixed(2)}`;\n",
        },
      },
      {
        blocks: [
          { tool: 'TaskUpdate', input: { taskId: '3', status: 'completed' } },
          { tool: 'TaskUpdate', input: { taskId: '4', status: 'in_progress' } },
        ],
      },
      {
        tool: 'Edit',
        input: {
          file_path: 'cart.test.mjs',
          old_string: "import { receipt, subtotal, total } from './cart.mjs';\n",
          new_string: "import { discount, receipt, subtotal, total } from './cart.mjs';\n",
        },
      },
      {
        tool: 'Edit',
        input: {
          file_path: 'cart.test.mjs',
          old_string: "test('the receipt ends with the total', () => {\n",
          new_string:
            "test('half a cent is rounded in favour of the customer', () => {\n  assert.equal(discount({ lines: [{ name: 'Spoon', price: 250, quantity: 1 }], discountPercent: 1 }), 3);\n});\n\ntest('the receipt shows the discount before the total', () => {\n  const rows = receipt({ lines: [tea, cup], discountPercent: 15 }).split('\\n');\n  assert.match(rows.at(-2), /^Discount 15 % +-\\$3\\.30$/);\n});\n\ntest('the receipt ends with the total', () => {\n",
        },
      },
      {
        tool: 'Edit',
        input: {
          file_path: 'README.md',
          old_string: 'which is taken off the sum of its lines.\n',
          new_string:
            'which is taken off the sum of its lines. What comes off is whole\ncents: half a cent is rounded in favour of the customer. The receipt shows it as a line of its own.\n',
        },
      },
      TEST,
      { tool: 'TaskUpdate', input: { taskId: '4', status: 'completed' } },
      {
        text: 'All six tests pass now.\n\n- **`cart.mjs`**: a cart without `discountPercent` has no discount, and a discount is rounded to whole cents, half a cent in favour of the customer. The receipt shows the discount.\n- **`money.mjs`**: a negative amount has its sign in front, as in `-$3.30`.\n- **`cart.test.mjs`**, **`README.md`**: two new tests, and a sentence on the rounding.',
      },
    ],
  },
  {
    prompt: 'Good. Please also say in the README how the tests are run.',
    script: [
      {
        tool: 'Edit',
        input: {
          file_path: 'README.md',
          old_string: 'so that nothing is lost to fractions.\n',
          new_string: 'so that nothing is lost to fractions.\n\nRun the tests with `node --test`.\n',
        },
      },
      { text: 'The README says it now, below its first paragraph.' },
    ],
  },
];
