import type * as Later from './later.tsx';
import { importAgain } from './importAgain.ts';
import { lazy } from './lazy.tsx';
import type * as Seldom from './seldom.tsx';

/*
 * Parts of later.tsx and seldom.tsx. Each stands behind its condition where it is drawn, so that nothing is loaded to draw
 * nothing.
 */

const later = async (): Promise<typeof Later> => importAgain(async () => import('./later.tsx'));
export const seldom = async (): Promise<typeof Seldom> => importAgain(async () => import('./seldom.tsx'));

export const ChangesBar = lazy('The changes', async () => (await later()).ChangesBar);
export const MessageActions = lazy('What can be done with a message', async () => (await seldom()).MessageActions);
export const ToolBody = lazy('What the tool did', async () => (await later()).ToolBody);
export const TurnFailure = lazy('Why the turn failed', async () => (await seldom()).TurnFailure);
export const TurnMenu = lazy('What can be done with a turn', async () => (await seldom()).TurnMenu);

export const Approvals = lazy('The question of the agent', async () => (await seldom()).Approvals);
export const AttachedImages = lazy('The images', async () => (await seldom()).AttachedImages);
export const Completion = lazy('The list of suggestions', async () => (await seldom()).Completion);
export const EditBanner = lazy('Which message is edited', async () => (await seldom()).EditBanner);
export const FindBar = lazy('The search', async () => (await seldom()).FindBar);
export const MessageImages = lazy('The images', async () => (await seldom()).MessageImages);
export const NewSession = lazy('The form of a new session', async () => (await seldom()).NewSession);
export const QuestionDialog = lazy('A question', async () => (await seldom()).QuestionDialog);
export const TodoList = lazy('The list of things to do', async () => (await seldom()).TodoList);
export const ToldMessage = lazy('The message', async () => (await seldom()).ToldMessage);
export const TroubleCards = lazy('What keeps the session', async () => (await seldom()).TroubleCards);
export const UnusedAnswers = lazy('An answer that was not used', async () => (await seldom()).UnusedAnswers);
export const UsagePanel = lazy('The breakdown of the cost', async () => (await seldom()).UsagePanel);
export const SpecCard = lazy('The spec', async () => (await seldom()).SpecCard);
export const PullRequestCard = lazy('The pull request', async () => (await seldom()).PullRequestCard);
