/** The plan's part of the service, over HTTP. */

import { address, getJson, postJson } from '../../core/client';
import type { EditsAnswer, PlanServer, SaveAnswer } from './interface';
import type { AssignmentAnswer } from './types';

const EDITS_LIMIT = 500;

export const planServer = (plan: number): PlanServer => ({
  save: ({ base, key, operations }) =>
    postJson<SaveAnswer>(address(`plans/${plan}/edits`), { base, key, operations }),
  edits: (after) => getJson<EditsAnswer>(address(`plans/${plan}/edits`, { after, limit: EDITS_LIMIT })),
  assignment: () => getJson<AssignmentAnswer>(address(`plans/${plan}/assignment`)),
});
