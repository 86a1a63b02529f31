/** What publishing a plan would change, from when on, and doing it. */
import { openDialog } from '../../ui/dialog';
import { t } from '../../i18n';
import type { PlanRef } from '../types';

/** Open the dialog; `done` runs once the plan was published, is waiting to be, or its waiting was called off. */
export function openPublish(plan: PlanRef, done: () => void): void {
  openDialog(t('plans.publishTitle', { name: plan.name }), 'dialog-wide', done);
}
