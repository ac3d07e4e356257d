import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { networkRuleSchema, type NetworkRule } from '../../../protocol/network.ts';
import { writePrivate } from '../core/writePrivate.ts';
import { isSamePlace } from './rules.ts';

const fileSchema = z.record(z.string(), z.array(networkRuleSchema));

/** What every session of a repository may reach, by the repository's id. One file; read once. */
export class SavedRules {
  readonly #path: string;
  #rules: Readonly<Record<string, readonly NetworkRule[]>>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, rules: Readonly<Record<string, readonly NetworkRule[]>>) {
    this.#path = path;
    this.#rules = rules;
  }

  /** @throws `internal` when the file is damaged: to go on without it would be to forget what a person decided */
  static async open(path: string): Promise<SavedRules> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return '{}';
      }
      throw error;
    });
    try {
      return new SavedRules(path, fileSchema.parse(JSON.parse(text)));
    } catch (error) {
      throw new SandpiperError('internal', `The list of allowed hosts cannot be read: ${toError(error).message}`, {
        hint: `Correct or remove ${path}. Without it every repository begins with none.`,
      });
    }
  }

  of(repositoryId: string): readonly NetworkRule[] {
    return (Object.hasOwn(this.#rules, repositoryId) ? this.#rules[repositoryId] : undefined) ?? [];
  }

  /** Adds rules, or takes them away. */
  change(repositoryId: string, rules: readonly NetworkRule[], allowed: boolean): Promise<void> {
    const writing = this.#writing.then(async () => this.#write(repositoryId, rules, allowed));
    this.#writing = writing.catch(() => {});
    return writing;
  }

  async #write(repositoryId: string, rules: readonly NetworkRule[], allowed: boolean): Promise<void> {
    const kept = this.of(repositoryId).filter(rule => !rules.some(other => isSamePlace(rule, other)));
    const changed = { ...this.#rules, [repositoryId]: allowed ? [...kept, ...rules] : kept };
    await writePrivate(this.#path, JSON.stringify(changed));
    this.#rules = changed;
  }
}
