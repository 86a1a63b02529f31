/** The sheet to print, from the part of the map that makes it. */
import type { Plan } from '../plans/types';
import type { Bench } from './tools/types';

interface Printer {
  openPrint: (what: {
    community: string;
    plan: number;
    communities: readonly { code: string; name: string }[];
  }) => void;
}

const printers = import.meta.glob<Printer>('../map/print.ts');

/** The community printed: that of the current grid, else the one in the middle of the map. */
function communityNow({ model, ui, map }: Bench): string {
  const own = model.grids[ui.get().current]?.community;
  if (own) return own;
  const [x, y] = map.getView().getCenter() ?? [0, 0];
  const unit = Math.max(0, model.unitAt(x ?? 0, y ?? 0));
  return model.topology.communities[model.topology.community[unit] ?? 0]?.code ?? '';
}

export async function printPlan(bench: Bench, plan: Plan): Promise<void> {
  await bench.sync.save();
  for (const load of Object.values(printers)) {
    const { openPrint } = await load();
    openPrint({
      community: communityNow(bench),
      plan: plan.id,
      communities: bench.model.topology.communities,
    });
  }
}
