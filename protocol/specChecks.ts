import type { Spec, SpecCheck } from './spec.ts';

/* How checks are named. Apart from the schemas, which a page does not load. */

/** Names a check within one revision of a spec: `2.1` is the first check of the second item. */
export function checkKey(item: number, check: number): string {
  return `${item + 1}.${check + 1}`;
}

/** Every check of a spec in its order, with its name. */
export function checksOf(spec: Pick<Spec, 'items'>): { key: string; item: number; check: SpecCheck }[] {
  return spec.items.flatMap(({ checks }, item) =>
    checks.map((check, index) => ({ key: checkKey(item, index), item, check })),
  );
}

/** One line for a person. */
export function checkTitle(check: SpecCheck): string {
  switch (check.kind) {
    case 'command':
      return check.exitCode === 0 ? check.command : `${check.command} exits ${check.exitCode}`;
    case 'test':
      return `${check.path} by ${check.command}`;
    case 'file':
      return check.path;
    case 'question':
      return check.question;
  }
}
