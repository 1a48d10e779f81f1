// The words of reasons: what was seen is shown short, on one line, and without the secrets that were sent.

const longestReason = 500;
const longestSeen = 120;

/** A reason as it may be shown and stored: one line of at most 500 characters. */
export function cutReason(reason: string): string {
  return cut(oneLine(reason), longestReason);
}

/** Text of the other side as it may be shown. A release that echoes what it was sent must not make a secret public. */
export function seenText(text: string, secrets: readonly string[], longest = longestSeen): string {
  // Longer ones first, so that one that contains another leaves nothing of itself behind. All of the text is searched before it
  // is cut, as a cut could leave the beginning of a secret that is then not recognised.
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  const hidden = forms.reduce((rest, form) => rest.replaceAll(form, '[REDACTED]'), text);
  return JSON.stringify(cut(oneLine(hidden), longest));
}

const shortestPart = 6;

/** A secret and its words (`Bearer` and the token), each as it is, within JSON, and within a URL. */
function formsOf(secret: string): readonly string[] {
  const parts = secret.split(/\s+/).filter((part) => part.length >= shortestPart);
  return [secret, ...parts]
    .filter((part) => part !== '')
    .flatMap((part) => [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part.toWellFormed())]);
}

/** The end of a text rather than its beginning: the last lines are those that tell. */
export function lastWords(text: string, longest: number): string {
  const line = oneLine(text.trim().replaceAll(/\s*\n\s*/g, ' | '));
  return line.length <= longest ? line : `…${line.slice(line.length - longest + 1)}`;
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

function oneLine(text: string): string {
  // oxlint-disable-next-line eslint/no-control-regex -- replacing them is the purpose
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
