import * as vscode from 'vscode';
import type { Disposable } from '../disposables.ts';
import { COMMANDS } from '../manifest.ts';
import type { CommandId } from '../manifest.ts';
import type { UserErrors } from '../userErrors.ts';

/** The arguments are whatever a menu, a keybinding or another extension passes: a handler checks them. */
export type CommandHandler = (argument: unknown, second?: unknown, third?: unknown) => Promise<void>;

/** One handler for every command; a command without one does not compile. */
export type CommandHandlers = Record<CommandId, CommandHandler>;

/** Registers all commands. What one throws is shown in one place, with a way to do it again. */
export function registerCommands(handlers: CommandHandlers, errors: UserErrors): Disposable {
  const registrations = COMMANDS.map(id => {
    const run = async (argument: unknown, second?: unknown, third?: unknown): Promise<void> => {
      try {
        await handlers[id](argument, second, third);
      } catch (thrown) {
        errors.show(thrown, {
          tag: 'command',
          doing: `run ${id}`,
          retry: () => void run(argument, second, third),
          ...(typeof argument === 'string' ? { sessionId: argument } : {}),
        });
      }
    };
    return vscode.commands.registerCommand(id, run);
  });
  return vscode.Disposable.from(...registrations);
}
