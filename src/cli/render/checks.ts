// Outcomes of validation checks as lines.

import type { CheckOutcome } from '../../core/validation/check.ts';
import type { Look } from './look.ts';
import { clean, hanging } from './text.ts';
import { latency } from './units.ts';

export function renderChecks(outcomes: readonly CheckOutcome[], look: Look): readonly string[] {
  return outcomes.flatMap((outcome) => {
    const glyph = outcome.passed ? look.glyphs.passed : look.glyphs.failed;
    const paint = outcome.passed ? look.paint.good : look.paint.bad;
    const attempts = outcome.attempts > 1 ? `, ${outcome.attempts} attempts` : '';
    const text = `${clean(outcome.name)}: ${clean(outcome.reason)} (${latency(outcome.durationMs)}${attempts})`;
    return hanging(`  ${glyph} `, text, look.width).map((line, index) =>
      index === 0 ? line.replace(glyph, () => paint(glyph)) : line,
    );
  });
}

/** What `validate` says at the end. */
export function checksSummary(outcomes: readonly CheckOutcome[], look: Look): string {
  const failed = outcomes.filter((outcome) => !outcome.passed).length;
  if (outcomes.length === 0) return look.paint.warn('No validation checks are configured.');
  if (failed === 0) return look.paint.good(`All ${outcomes.length} checks passed.`);
  return look.paint.bad(`${failed} of ${outcomes.length} checks failed.`);
}
