/** The tools, by name. */
import { boundaryTool } from './boundary';
import { mergeTool, splitTool } from './dividing';
import { enclosingTool } from './enclosing';
import { brushTool, compoundTool, handTool, pickTool } from './painting';
import type { Bench, Tool, ToolName } from './types';

export function allTools(bench: Bench): Readonly<Record<ToolName, Tool>> {
  return {
    paint: brushTool(bench, false),
    erase: brushTool(bench, true),
    lasso: enclosingTool(bench, 'lasso'),
    rectangle: enclosingTool(bench, 'rectangle'),
    compound: compoundTool(bench),
    pick: pickTool(bench),
    boundary: boundaryTool(bench),
    split: splitTool(bench),
    merge: mergeTool(bench),
    // opens a dialog and goes back to the tool before
    special: handTool,
    hand: handTool,
  };
}
