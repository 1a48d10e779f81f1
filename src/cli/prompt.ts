// Questions to the person at the terminal; where nobody can answer, a failure that names the flag to use instead.

import { Failure } from '../base/failure.ts';
import { clean } from './render/text.ts';
import { isAttended, type Session } from './session.ts';

export interface Question {
  /** Without a question mark. */
  readonly text: string;
  /** The flag that answers it as well. */
  readonly flag: string;
  /** Taken for an empty answer. */
  readonly fallback?: string | undefined;
  /** What is wrong with an answer; undefined: nothing. */
  readonly problem?: ((answer: string) => string | undefined) | undefined;
}

/** Asks until an answer is good. Rejects with `prompt.unavailable` where nobody can answer. */
export async function ask(session: Session, question: Question): Promise<string> {
  refuseUnattended(session, question);
  const fallback = question.fallback === undefined ? '' : ` [${clean(question.fallback)}]`;
  for (;;) {
    session.context.stderr.write(`${question.text}${fallback}: `);
    const typed = (await session.typed.next())?.trim();
    if (typed === undefined) throw unanswered(question, 'The question was not answered');
    const answer = typed === '' ? (question.fallback ?? '') : typed;
    const problem = answer === '' ? 'An answer is needed.' : question.problem?.(answer);
    if (problem === undefined) return answer;
    session.context.stderr.write(`  ${problem}\n`);
  }
}

/** Asks for one of several; the number or the name may be typed. */
export async function choose(session: Session, question: Question, choices: readonly string[]): Promise<string> {
  refuseUnattended(session, question, ` One of: ${choices.join(', ')}.`);
  const list = choices.map((choice, index) => `  ${index + 1}  ${clean(choice)}\n`).join('');
  session.context.stderr.write(list);
  const named = (answer: string): string | undefined =>
    choices.find((choice, index) => choice === answer || String(index + 1) === answer);
  const answer = await ask(session, {
    ...question,
    problem: (given) =>
      named(given) === undefined ? `Type a number from 1 to ${choices.length}, or a name.` : undefined,
  });
  return named(answer) ?? answer;
}

/** Yes or no, no by default; `--yes` answers it. */
export async function confirm(session: Session, text: string): Promise<boolean> {
  if (session.options.yes) return true;
  const answer = await ask(session, { text: `${text} (yes or no)`, flag: '--yes', fallback: 'no' });
  return ['y', 'yes'].includes(answer.toLowerCase());
}

function refuseUnattended(session: Session, question: Question, more = ''): void {
  if (isAttended(session)) return;
  const why = session.options.json ? 'with --json nothing is asked' : 'there is no terminal to ask at';
  throw unanswered(question, `${question.text}? ${capital(why)}`, more);
}

function unanswered(question: Question, message: string, more = ''): Failure {
  return new Failure('prompt.unavailable', message, {
    at: question.flag,
    remedy: `Give the answer with \`${question.flag}\`.${more}`,
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
