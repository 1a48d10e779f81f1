// Carries out an OpenAPI check: reads the document, asks what it plans, judges each answer.

import type { Answer, Judgement, NoAnswer } from '../answer.ts';
import { type Asker, type Target, urlOf } from '../asker.ts';
import type { OpenApiCheck } from '../check.ts';
import { promiseProblem } from './judge.ts';
import { type OpenApiPlan, planQuestions, type Question } from './plan.ts';

const largestDocumentBytes = 2 * 1024 * 1024;
const documentTypes = 'application/json, application/yaml, */*;q=0.5';
const largestAnswerBytes = 1024 * 1024;

export async function carryOutOpenApi(
  asker: Asker,
  check: OpenApiCheck,
  target: Target,
  signal: AbortSignal,
): Promise<Judgement> {
  const document = await readDocument(asker, check, target, signal);
  if ('reason' in document) return { passed: false, reason: document.reason };
  const plan = planQuestions(document.value, check.maxPaths);
  if (plan.kind === 'unfit') return { passed: false, reason: plan.reason };
  const problems: string[] = [];
  for (const question of plan.questions) {
    const problem = await askQuestion(asker, question, plan, target, signal);
    if (problem !== undefined) problems.push(`GET ${question.path}: ${problem}`);
  }
  return { passed: problems.length === 0, reason: summary(plan, problems) };
}

async function readDocument(
  asker: Asker,
  check: OpenApiCheck,
  target: Target,
  signal: AbortSignal,
): Promise<{ readonly value: unknown } | { readonly reason: string }> {
  const wanted = { path: check.url, headers: { accept: documentTypes }, keepBytes: largestDocumentBytes };
  const answer = await get(asker, wanted, target, signal);
  if (answer.kind === 'none') return { reason: `the document cannot be read: ${answer.reason}` };
  if (answer.status !== 200) return { reason: `expected the document with status 200, got ${answer.status}` };
  if (!answer.complete) return { reason: 'the document is larger than 2 MiB' };
  try {
    return { value: await asker.readDocument(answer.body) };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { reason: `the document is neither JSON nor YAML: ${why}` };
  }
}

interface Get {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly keepBytes: number;
}

/** Asks the release itself, wherever the document says its servers are. */
async function get(
  asker: Asker,
  { path, headers, keepBytes }: Get,
  target: Target,
  signal: AbortSignal,
): Promise<Answer | NoAnswer> {
  const place = urlOf(target, path);
  if (place === undefined) return { kind: 'none', reason: 'its URL cannot be read' };
  return asker.request({ ...place, method: 'GET', headers, keepBytes }, signal);
}

async function askQuestion(
  asker: Asker,
  question: Question,
  plan: OpenApiPlan,
  target: Target,
  signal: AbortSignal,
): Promise<string | undefined> {
  const headers = { accept: '*/*', ...question.headers };
  const answer = await get(asker, { path: question.path, headers, keepBytes: largestAnswerBytes }, target, signal);
  return answer.kind === 'none' ? answer.reason : promiseProblem(question, answer, plan.resolve);
}

function summary(plan: OpenApiPlan, problems: readonly string[]): string {
  const { questions, skipped } = plan;
  if (problems.length > 0) {
    const others = problems.length > 1 ? ` (and ${problems.length - 1} other of ${questions.length} paths)` : '';
    return `${problems[0]}${others}`;
  }
  const notAsked = [
    skipped.parameters > 0 ? `${skipped.parameters} need parameters` : '',
    skipped.credentials > 0 ? `${skipped.credentials} need credentials` : '',
    skipped.beyondLimit > 0 ? `${skipped.beyondLimit} are beyond the limit` : '',
  ].filter((part) => part !== '');
  const rest = notAsked.length > 0 ? `; not asked: ${notAsked.join(', ')}` : '';
  return `OpenAPI ${plan.version.slice(0, 20)}: ${questions.length} paths answer as declared${rest}`;
}
