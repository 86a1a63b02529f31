/** The address of a plan, to copy. */
import { openDialog } from '../../ui/dialog';
import { t } from '../../i18n';
import type { PlanRef } from '../types';

export function share(plan: PlanRef): void {
  openDialog(t('plans.shareTitle', { name: plan.name }), 'dialog-small');
}
