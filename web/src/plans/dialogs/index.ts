/**
 * Dialogs and panels about one plan, for every page that shows plans: what publishing changes, comments, sharing,
 * duplicating. They bring their own styles.
 */
import './dialogs.css';

export type { PlanRef } from '../types';
/** `openPublish(plan, done)`: what publishing would change, when, and doing it; `done` runs once something was asked for. */
export { openPublish } from './publish';
/** `commentsPanel(host, planId, {onPlace, onGrid})`: the list of comments and the box to write one, inside `host`. */
export { commentsPanel } from './comments';
export type { CommentsHooks, CommentsPanel } from './comments';
/** `share(plan)`: the address of the plan, to copy. */
export { share } from './share';
/** `duplicate(plan)`: asks for a name; resolves to the new plan, or null when the reader gave up. */
export { duplicate } from './duplicate';
