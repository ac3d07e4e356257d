import { SandpiperError } from '../../../protocol/errors.ts';

/** Why an agent may not go on without asking where nothing keeps it from the machine. */
export function autopilotNeedsIsolation(): SandpiperError {
  return new SandpiperError('invalid_params', 'Autopilot needs a sandbox that isolates, and this one does not.', {
    hint: 'Choose another permission mode, or a provider with isolation.',
  });
}
