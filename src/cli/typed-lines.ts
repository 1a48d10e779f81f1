// Lines that the person types, one after the other; what was typed ahead of a question is kept for the next one.

export interface TypedLines {
  /** The next line; undefined when there will be none. */
  next(): Promise<string | undefined>;
}

export function typedLines(input: NodeJS.ReadableStream): TypedLines {
  const open = openLines(input);
  return {
    async next() {
      const { done, value } = await (await open()).next();
      return done === true ? undefined : value;
    },
  };
}

/** Reading begins with the first question, so that a command that asks nothing leaves stdin alone. */
function openLines(input: NodeJS.ReadableStream): () => Promise<AsyncIterator<string>> {
  let lines: Promise<AsyncIterator<string>> | undefined;
  return () => {
    lines ??= import('node:readline').then(({ createInterface }) =>
      createInterface({ input, terminal: false })[Symbol.asyncIterator](),
    );
    return lines;
  };
}
