/** Conditions of the table as CQL2 text, which pages and downloads take alike. */
import type { LayerAttribute } from './types';

export type Operator = 'has' | 'eq' | 'ne' | 'ge' | 'le' | 'empty';

export interface Condition {
  attribute: LayerAttribute;
  operator: Operator;
  value: string;
}

export const isNumber = ({ type }: LayerAttribute): boolean => type === 'integer' || type === 'number';
export const isTime = ({ type }: LayerAttribute): boolean => type === 'date' || type === 'date-time';

/** Operators that make sense for a field. */
export function operatorsOf(attribute: LayerAttribute): Operator[] {
  if (attribute.type === 'boolean') return ['eq', 'empty'];
  if (isNumber(attribute)) return ['eq', 'ne', 'ge', 'le', 'empty'];
  return isTime(attribute) ? ['ge', 'le', 'empty'] : ['has', 'eq', 'ne', 'empty'];
}

const SIGNS = { eq: '=', ne: '<>', ge: '>=', le: '<=' } as const;
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A literal of the field's type; null where the value is none. */
function literal({ attribute, operator, value }: Condition): string | null {
  if (isNumber(attribute))
    return value.trim() !== '' && Number.isFinite(Number(value)) ? String(Number(value)) : null;
  if (attribute.type === 'boolean') return value === 'true' ? 'TRUE' : 'FALSE';
  if (!isTime(attribute)) return quoted(value);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return null;
  if (attribute.type === 'date') return `DATE('${value}')`;
  // A day is one of the reader's own calendar, whole at both ends.
  const at = new Date(`${value}T${operator === 'le' ? '23:59:59.999' : '00:00:00'}`);
  return Number.isNaN(at.getTime()) ? null : `TIMESTAMP('${at.toISOString()}')`;
}

function textOf(condition: Condition): string | null {
  const { attribute, operator, value } = condition;
  const name = attribute.name;
  if (operator === 'empty')
    return attribute.type === 'string' ? `(${name} IS NULL OR ${name} = '')` : `${name} IS NULL`;
  if (operator === 'has')
    return value === '' ? null : `${name} LIKE ${quoted(`%${value.replace(/[\\%_]/g, '\\$&')}%`)}`;
  const told = literal(condition);
  return told === null ? null : `${name} ${SIGNS[operator]} ${told}`;
}

/** All conditions together; empty where there is none. */
export const filterText = (conditions: readonly Condition[]): string =>
  conditions
    .map(textOf)
    .filter((text) => text !== null)
    .join(' AND ');
