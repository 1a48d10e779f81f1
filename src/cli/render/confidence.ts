// A confidence score with its factors: what each is worth, how much it counts, and why.

import { type Confidence, type ConfidencePoint, factorWords } from '../../core/decision/confidence.ts';
import type { Look } from './look.ts';
import { clean, hanging, padEnd, padStart } from './text.ts';

const points: Readonly<Record<ConfidencePoint, string>> = {
  beforeTraffic: 'before traffic',
  beforePromotion: 'before the promotion',
};

const outcomes: Readonly<Record<Confidence['outcome'], string>> = {
  advance: 'goes on by itself',
  ask: 'asks a person',
  'go-back': 'goes back',
};

export function renderConfidence(confidence: Confidence, look: Look): readonly string[] {
  const { point, score, outcome, goOn, ask, factors } = confidence;
  const { paint, glyphs, width } = look;
  const [glyph, colour] = {
    advance: [glyphs.passed, paint.good] as const,
    ask: [glyphs.open, paint.warn] as const,
    'go-back': [glyphs.failed, paint.bad] as const,
  }[outcome];
  const headline = `confidence ${score} of 100 ${points[point]}: ${outcomes[outcome]} (${goOn} to go on, ${ask} to ask)`;
  const [first = '', ...others] = hanging(`${glyph} `, headline, width);
  const widest = Math.max(...factors.map(({ name }) => factorWords[name].length));
  const rows = factors.flatMap(({ name, value, weight, reason }) => {
    const part = `${Math.round(weight * 100)} %`;
    const heading = `  ${padEnd(factorWords[name], widest)}  ${padStart(String(value), 5)}  ${padStart(part, 5)}  `;
    return hanging(heading, clean(reason), width);
  });
  return [colour(first), ...others, ...rows];
}
