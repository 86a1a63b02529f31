/**
 * The workbench's model. See interface.ts for what everything does:
 *
 *     const topology = decodeTopology(await (await ask(topologyUrl)).arrayBuffer());
 *     const model = createPlanModel(topology, assignmentAnswer, countsAnswer);
 *     const sync = createSync(model, planServer(plan), { store: await openStore() });
 *     await sync.start();
 */

export type * from './interface';
export type * from './types';
export { createPlanModel, PlanError } from './model';
export { decodeTopology, TopologyError } from './topology';
export { createSync } from './sync';
export { memoryStore, openStore } from './store';
export { planServer } from './http';
