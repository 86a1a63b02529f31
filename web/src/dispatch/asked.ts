/** What a dispatcher typed or pasted: a coordinate in any system, a component, an address. */

export type Asked =
  | { kind: 'empty' }
  | { kind: 'point'; lon: number; lat: number; crs: string; accuracy: number | null }
  | { kind: 'component'; code: string }
  | { kind: 'address'; text: string };

const COMPONENT_DIGITS = 16;
const ACCURACY =
  /(?:±|\+\/-|(?:定位)?(?:精度|误差)(?:约|为)?|accuracy)\s*[:=]?\s*(\d+(?:\.\d+)?)\s*(?:米|m(?:etres)?\b)?/i;
const EPSG = /\bepsg\s*:?\s*(\d{4,6})\b/i;
/** Words for a coordinate system, as maps and messengers write them. */
const SYSTEMS: readonly [RegExp, string][] = [
  [/\b(?:gcj-?02|amap|gaode|tencent)\b|高德|腾讯|火星(?:坐标)?|微信/i, 'gcj02'],
  [/\b(?:bd-?09(?:ll)?|baidu)\b|百度/i, 'bd09'],
  [/\bcgcs-?2000\b|国家2000|大地2000/i, 'cgcs2000'],
  [/\b(?:wgs-?84|gps)\b|北斗/i, 'wgs84'],
];
const DMS =
  /(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′分]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″秒]|'')\s*)?/g;
const NUMBER = /(?<!\d)[+-]?\d{1,9}(?:\.\d+)?/g;
/** What may stand around the two numbers of a coordinate. */
const FILLING =
  /\b(?:lng|lon(?:g|gitude)?|lat(?:itude)?|x|y|point|at|e|n|east|north|coordinate|crs|system)\b|东经|北纬|经度|纬度|经纬度|坐标系?|位置|[\s,，;；、:：=()（）[\]【】{}"'/|°度@]/gi;

const narrow = (text: string): string =>
  text
    .replace(/[！-～]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, ' ')
    .trim();

function degrees(text: string): string {
  return text.replace(DMS, (_whole, whole: string, minutes?: string, seconds?: string) => {
    const value = Number(whole) + Number(minutes ?? 0) / 60 + Number(seconds ?? 0) / 3600;
    return ` ${value.toFixed(9)} `;
  });
}

/** A letter beside a number ("116.33E") must not keep it from being read. */
const apart = (text: string): string => text.replace(/(\d)\s*([ENen])(?![a-z])/g, '$1 $2 ');

/**
 * Read what was typed. A first number within ±90 with a second beyond it can only be lat, lon, so the two are swapped;
 * so are numbers whose names say so ("纬度 35.5 经度 112.8"). Anything that is no coordinate is taken for an address.
 */
export function readAsked(typed: string): Asked {
  const text = narrow(typed);
  if (text === '') return { kind: 'empty' };
  if (/^\d+$/.test(text) && text.length === COMPONENT_DIGITS) return { kind: 'component', code: text };
  const sure = ACCURACY.exec(text);
  let rest = sure ? text.replace(sure[0], ' ') : text;
  let crs = 'wgs84';
  const epsg = EPSG.exec(rest);
  if (epsg) {
    crs = `EPSG:${epsg[1]}`;
    rest = rest.replace(epsg[0], ' ');
  } else {
    const named = SYSTEMS.find(([word]) => word.test(rest));
    if (named) {
      crs = named[1];
      rest = rest.replace(named[0], ' ');
    }
  }
  const plain = apart(degrees(rest));
  const numbers = plain.match(NUMBER)?.map(Number) ?? [];
  const left = plain.replace(NUMBER, ' ').replace(FILLING, '');
  if (numbers.length !== 2 || left !== '') return { kind: 'address', text };
  const [first, second] = numbers as [number, number];
  const projected = crs.startsWith('EPSG');
  const latitudeFirst =
    !projected &&
    (/(?:纬|lat)[^\d]*[\d.+-]+[^\d]*(?:经|lng|lon)/i.test(rest) ||
      (Math.abs(first) <= 90 && Math.abs(second) > 90));
  const [lon, lat] = latitudeFirst ? [second, first] : [first, second];
  return { kind: 'point', lon, lat, crs, accuracy: sure ? Number(sure[1]) : null };
}
