/* What waits until a turn is over, something is asked or somebody looks: a second chunk of the bundle, as later.tsx. */

export { Approvals } from './approvals.tsx';
export { Completion } from './completion.tsx';
export { EditBanner } from './editBanner.tsx';
export { FindBar } from './findBar.tsx';
export { AttachedImages, MessageImages } from './messageImages.tsx';
export { MessageActions } from './messageActions.tsx';
export { NewSession } from './newSession.tsx';
export { QuestionDialog } from './questionDialog.tsx';
export { SpecCard } from './specCard.tsx';
export { attachImages, chooseImages } from '../state/attaching.ts';
export { sendFrom } from '../state/goBack.ts';
export { loadOlderItems } from '../state/olderItems.ts';
export { confirmUrl } from '../text/confirmUrl.ts';
export { ToldMessage } from './toldMessage.tsx';
export { PullRequestCard } from './pullRequestCard.tsx';
export { TodoList } from './todoList.tsx';
export { TroubleCards } from './troubleCards.tsx';
export { TurnFailure } from './turnFailure.tsx';
export { TurnMenu } from './turnMenu.tsx';
export { UnusedAnswers } from './unusedAnswers.tsx';
export { UsagePanel } from './usagePanel.tsx';
